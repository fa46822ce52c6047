import { zlibCompressor } from './node/zlib-compressor.ts'
import { useCompressor } from './transport/http/compressor.ts'

useCompressor(zlibCompressor)

export { listen } from './node/serve.ts'
export type { Listening, ListenOptions } from './node/serve.ts'
export { zlibCompressor } from './node/zlib-compressor.ts'

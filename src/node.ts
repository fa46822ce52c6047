export { listen } from './node/serve.ts'
export type { Listening, ListenOptions } from './node/serve.ts'
export { zlibCompressor } from './node/zlib-compressor.ts'

import { zlibCompressor } from './node/zlib-compressor.ts'
import { useCompressor } from './transport/http/compressor.ts'

useCompressor(zlibCompressor)

export { postgres } from './storage/postgres/database.ts'
export type { PostgresOptions } from './storage/postgres/database.ts'

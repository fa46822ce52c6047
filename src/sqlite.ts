import { zlibCompressor } from './node/zlib-compressor.ts'
import { useCompressor } from './transport/http/compressor.ts'

useCompressor(zlibCompressor)

export { sqlite } from './storage/sqlite/database.ts'
export type { SqliteOptions } from './storage/sqlite/database.ts'

export { createRoutes } from './transport/http/server.ts'
export type { RoutesOptions } from './transport/http/server.ts'
export type { Compressor } from './transport/http/compressor.ts'

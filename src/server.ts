export { createRoutes } from './transport/http/server.ts'
export type { RoutesOptions } from './transport/http/server.ts'
export type { Hosts } from './transport/http/browser-guard.ts'
export type { Compressor } from './transport/http/compressor.ts'

export { postgres } from './storage/postgres/database.ts'
export type { PostgresOptions } from './storage/postgres/database.ts'

export { sqlite } from './storage/sqlite/database.ts'
export type { SqliteOptions } from './storage/sqlite/database.ts'

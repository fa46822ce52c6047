import { type Check, declaredTables } from './check.ts'

/** The database's own state and settings. */
export const database: Check = {
  name: 'database',
  needsOwnTables: false,
  allIsWell: 'Its settings, its place and its foreign keys are in order.',
  run: async ({ database: { kysely, dialect }, profiles }) => {
    const present: string[] = []
    for (const table of declaredTables(profiles)) {
      const info = await dialect.readTable(kysely, table)
      if (info?.type === 'table') present.push(info.name)
    }
    return await dialect.health(kysely, present)
  },
}

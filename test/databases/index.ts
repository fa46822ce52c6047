import type { MakeTestDatabase } from '../../src/testing/index.ts'
import { memorySqlite } from '../../src/testing/sqlite.ts'

/** A database that tests run on: each is a project of vitest's, which says so by this variable. */
export type DatabaseKind = 'sqlite' | 'pglite' | 'postgres'

function kindOf(name: string | undefined): DatabaseKind {
  return name === 'pglite' || name === 'postgres' ? name : 'sqlite'
}

/** The one that this project is about. */
export const DATABASE: DatabaseKind = kindOf(process.env['MORANGO_TEST_DATABASE'])

/** Makes an empty one, apart from all others. */
export const makeTestDatabase: MakeTestDatabase = await makerOf(DATABASE)

async function makerOf(kind: DatabaseKind): Promise<MakeTestDatabase> {
  switch (kind) {
    case 'sqlite':
      return memorySqlite
    case 'pglite':
      return (await import('./pglite.ts')).makePGlite
    case 'postgres':
      return (await import('./server.ts')).makeOnServer
  }
}

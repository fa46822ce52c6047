import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { postgres } from '../../src/postgres.ts'
import { copyStatement, copyText } from './copy-text.ts'
import type { BenchDatabase, PlainDatabase, PlainRow } from './database.ts'

/** PGlite in the process, its data in a directory. One process at a time can have it open. */
export const pgliteDirectory: BenchDatabase = {
  locate: (directory, name) => join(directory, `${name}.pglite`),
  create: async () => {},
  remove: async () => {},
  open: (at) => {
    const pglite = new PGlite(at)
    return { ...postgres(pglite), close: async () => await pglite.close() }
  },
  openPlain,
  save: async (at) => await cp(at, saved(at), { recursive: true }),
  restore: async (at) => {
    await rm(at, { recursive: true, force: true })
    await cp(saved(at), at, { recursive: true })
  },
  bytes: async (at) => {
    const pglite = new PGlite(at)
    const found = await pglite.query<{ bytes: number }>(
      'select pg_database_size(current_database()) as bytes',
    )
    await pglite.close()
    return found.rows[0]?.bytes ?? NaN
  },
}

async function openPlain(at: string): Promise<PlainDatabase> {
  const pglite = await PGlite.create(at)
  return {
    selectAll: async (tables) => {
      const all: Record<string, PlainRow[]> = {}
      for (const table of tables) {
        // oxlint-disable-next-line no-await-in-loop
        all[table] = (await pglite.query<PlainRow>(`select * from ${table}`)).rows
      }
      return all
    },
    insertAll: async (tables) =>
      await pglite.transaction(async (transaction) => {
        for (const [table, rows] of Object.entries(tables)) {
          const [first] = rows
          if (first === undefined) continue
          const blob = new Blob([...copyText(rows)])
          // oxlint-disable-next-line no-await-in-loop
          await transaction.query(copyStatement(table, first, `'/dev/blob'`), [], { blob })
        }
      }),
    close: async () => await pglite.close(),
  }
}

function saved(at: string): string {
  return `${at}.saved`
}

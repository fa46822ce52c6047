import { createHash } from 'node:crypto'
import type { AppDatabase } from './databases/app-database.ts'
import type { Digest, SearchResult } from './device-api.ts'

/** A digest of each country's ordered rows, by country id. The same rows give the same on every database. */
export async function digestCountries(db: AppDatabase): Promise<Map<string, Digest>> {
  const digests = new Map<string, Digest>()
  for (const country of await db.query('select * from country')) {
    const id = String(country['id'])
    const hash = createHash('sha256').update(JSON.stringify(country))
    let rows = 1
    for (const table of ['region', 'place']) {
      for (const row of await db.query(`select * from ${table} where country_id = ? order by id`, id)) {
        hash.update(JSON.stringify(row))
        rows++
      }
    }
    digests.set(id, { rows, sha256: hash.digest('hex') })
  }
  return digests
}

/** Looks for a text in every column of every table, the application's and Morango's. */
export async function searchTables(db: AppDatabase, text: string): Promise<SearchResult> {
  const tables = await db.tables()
  const found: string[] = []
  for (const [table, columns] of tables) {
    const contains = columns.map(
      (name) => `replace(cast("${name}" as text), ?1, '') <> cast("${name}" as text)`,
    )
    const rows = await db.query(`select 1 from "${table}" where ${contains.join(' or ')} limit 1`, text)
    if (rows.length > 0) found.push(table)
  }
  return { tables: tables.size, found }
}

import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Digest, SearchResult } from './device-api.ts'

/** A digest of each country's ordered rows, by country id. */
export function digestCountries(db: DatabaseSync): Map<string, Digest> {
  const parts = ['region', 'place'].map((table) =>
    db.prepare(`select * from ${table} where country_id = ? order by id`),
  )
  const digests = new Map<string, Digest>()
  for (const country of db.prepare('select * from country').iterate()) {
    const hash = createHash('sha256').update(JSON.stringify(country))
    let rows = 1
    for (const part of parts) {
      for (const row of part.iterate(country['id'] ?? null)) {
        hash.update(JSON.stringify(row))
        rows++
      }
    }
    digests.set(String(country['id']), { rows, sha256: hash.digest('hex') })
  }
  return digests
}

/** Looks for a text in every column of every table, the application's and Morango's. */
export function searchTables(db: DatabaseSync, text: string): SearchResult {
  const tables = db.prepare(`select name from sqlite_schema where type = 'table'`).all()
  const names = tables.map(({ name }) => String(name))
  const found = names.filter((table) => {
    const columns = db.prepare(`select name from pragma_table_info(?)`).all(table)
    const contains = columns.map(({ name }) => `instr(cast("${String(name)}" as text), :text) > 0`)
    return (
      db.prepare(`select 1 from "${table}" where ${contains.join(' or ')} limit 1`).get({ text }) !==
      undefined
    )
  })
  return { tables: names.length, found }
}

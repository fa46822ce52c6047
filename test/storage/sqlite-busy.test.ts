import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { getMeta, migrateOwnTables, setMeta } from '../../src/storage/migrations.ts'

const directory = mkdtempSync(join(tmpdir(), 'morango-busy-'))

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('a SQLite file that another process writes to', () => {
  it('keeps a statement waiting, and the event loop free', async () => {
    const path = join(directory, 'busy.db')
    const ours = sqlite(path)
    await migrateOwnTables(ours)
    const other = new DatabaseSync(path)
    other.exec('begin immediate')
    const written = setMeta(ours.kysely, 'key', 'ours')
    // Only a free event loop gets here before the statement gives up.
    await new Promise((resolve) => setImmediate(resolve))
    other.exec(`insert into morango_meta (key, value) values ('key', 'theirs')`)
    other.exec('commit')
    await written
    expect(await getMeta(ours.kysely, 'key')).toBe('ours')
    other.close()
    await ours.close()
  })
})

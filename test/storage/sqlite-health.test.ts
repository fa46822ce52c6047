import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'

let directory = ''
let file = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'morango-health-'))
  file = join(directory, 'field.db')
  const app = new DatabaseSync(file, { enableForeignKeyConstraints: false })
  app.exec(`
    create table shelf (id text primary key, label text unique);
    create table book (id text primary key, isbn text unique, shelf_id text references shelf (id));
    create unique index book_of_a_shelf on book (shelf_id, isbn) where shelf_id is not null;
    insert into book values ('a', '1', 'gone'), ('b', '2', 'gone'), ('c', '3', null)`)
  app.close()
  chmodSync(file, 0o600)
})
afterEach(() => rmSync(directory, { recursive: true }))

test('rows that refer to nothing, and tables that can lose rows unseen', async () => {
  const database = sqlite(file)
  try {
    expect(await database.dialect.health(database.kysely, ['shelf', 'book'])).toMatchObject([
      {
        code: 'foreign-key-broken',
        severity: 'warning',
        sentence: expect.stringMatching(/^2 row\(s\) of "book".*"shelf"/u),
      },
      { code: 'recursive-triggers', severity: 'note', sentence: expect.stringMatching(/^"book" can/u) },
    ])
    expect(await database.dialect.health(database.kysely, ['shelf'])).toEqual([])
  } finally {
    await database.close()
  }
})

test('a journal that keeps readers out', async () => {
  const connection = new DatabaseSync(file)
  try {
    const { dialect, kysely } = sqlite(connection)
    expect((await dialect.health(kysely, ['shelf'])).map(({ code }) => code)).toEqual(['journal-mode'])
  } finally {
    connection.close()
  }
})

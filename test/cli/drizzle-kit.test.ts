import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMorango, defineProfile, migrateAround, type Morango, model, scope } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite.ts'
import type { Database } from '../../src/storage/dialect.ts'
import { createMemoryPeer } from '../../src/transport/memory.ts'
import { type Finished, run, sql } from './support.ts'

const SOURCE = new URL('../../src/', import.meta.url).href
const KIT = join(dirname(createRequire(import.meta.url).resolve('drizzle-kit')), 'bin.cjs')

// An application of drizzle's: once as its tables were, once with a column more and one of another type.
const SCHEMA = (pages: string, sourceId: boolean): string => `
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
const common = () => ({ id: text('id').primaryKey().notNull(), root: text('root').notNull(),
  ${sourceId ? "sourceId: text('morango_source_id')," : ''} })
export const book = sqliteTable('book', { ...common(), title: text('title'), ${pages} })
export const note = sqliteTable('note', { ...common(), body: text('body'),
  book_id: text('book_id').notNull().references(() => book.id, { onDelete: 'cascade' }) })
`
const BEFORE = "pages: integer('pages')"
// In one step drizzle-kit copies the new column from the old table, which does not have it.
const ADDED = `${BEFORE}, isbn: text('isbn').notNull().default('none')`
const AFTER = ADDED.replace('integer', 'text')

// As drizzle's own migrators for SQLite do it: all in one transaction, in which \`pragma foreign_keys\` does nothing.
const TOOL = `
import { DatabaseSync } from 'node:sqlite'
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import { migrate } from 'drizzle-orm/sqlite-proxy/migrator'
const db = new DatabaseSync('field.db', { timeout: 5000 })
const proxy = drizzle(async (text, values, method) => {
  const statement = db.prepare(text)
  if (method === 'run') { statement.run(...values); return { rows: [] } }
  const rows = statement.all(...values).map((row) => Object.values(row))
  return { rows: method === 'get' ? rows[0] : rows }
})
await migrate(proxy, async (statements) => {
  db.exec('begin')
  for (const statement of statements) db.exec(statement)
  db.exec('commit')
}, { migrationsFolder: process.argv[2] })
db.close()
`

const CONFIG = `
import { defineConfig } from '${SOURCE}config.ts'
import { defineProfile, model, scope } from '${SOURCE}index.ts'
import { sqlite } from '${SOURCE}sqlite.ts'
export default defineConfig({
  database: () => sqlite('field.db'),
  profiles: [defineProfile({
    name: 'library',
    models: {
      book: model({ table: 'book', partition: '\${root}' }),
      note: model({ table: 'note', partition: '\${root}' }),
    },
    scopes: { full: scope({ root: 'root', readWrite: '\${root}' }) },
  })],
})`

const library = defineProfile({
  name: 'library',
  models: {
    book: model({ table: 'book', partition: '${root}' }),
    note: model({ table: 'note', partition: '${root}' }),
  },
  scopes: { full: scope({ root: 'root', readWrite: '${root}' }) },
})

const folder = mkdtempSync(join(tmpdir(), 'morango-drizzle-'))

const execute = promisify(execFile)

beforeAll(async () => {
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'))
  const generateAll = async ([name, sourceId]: readonly [string, boolean]): Promise<void> => {
    const out = `${name}-after`
    const generate = async (pages: string): Promise<void> => {
      writeFileSync(join(folder, `${name}.ts`), SCHEMA(pages, sourceId))
      const args = ['generate', '--dialect=sqlite', `--schema=./${name}.ts`, `--out=./${out}`]
      await execute(process.execPath, [KIT, ...args], { cwd: folder })
    }
    await generate(BEFORE)
    cpSync(join(folder, out), join(folder, `${name}-before`), { recursive: true })
    await generate(ADDED)
    await generate(AFTER)
  }
  await Promise.all([generateAll(['full', true]), generateAll(['lean', false])])
}, 30_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Schema = 'full' | 'lean'

async function makeDevice(name: string, schema: Schema): Promise<string> {
  const directory = join(folder, name)
  mkdirSync(directory)
  writeFileSync(join(directory, 'tool.mjs'), TOOL)
  writeFileSync(join(directory, 'morango.config.ts'), CONFIG)
  await tool(directory, `${schema}-before`)
  return directory
}

async function tool(directory: string, migrations: string): Promise<void> {
  await execute(process.execPath, ['tool.mjs', `../${migrations}`], { cwd: directory })
}

interface Opened {
  readonly database: Database
  readonly morango: Morango
}

async function open(directory: string, migrate = false): Promise<Opened> {
  const database = sqlite(join(directory, 'field.db'))
  try {
    return { database, morango: await createMorango({ database, profiles: [library], migrate }) }
  } catch (error) {
    await database.close()
    throw error
  }
}

async function sync(from: string, to: string, root: string): Promise<void> {
  const [a, b] = [await open(from), await open(to)]
  try {
    const way = createMemoryPeer(b.morango.service(), {
      capabilities: a.morango.capabilities,
      onError: () => undefined,
    })
    await a.morango.sync(way, { filter: root })
    expect([await a.morango.problems(), await b.morango.problems()]).toEqual([[], []])
  } finally {
    await a.morango.close()
    await b.morango.close()
  }
}

/** The tool, as an application that migrates at its start has it run. */
async function around(directory: string, migrations: string): Promise<void> {
  const database = sqlite(join(directory, 'field.db'))
  await migrateAround(database, [library], () => tool(directory, migrations))
  await database.close()
}

const BOOKS = 40

/** A field device and a school in sync: forty books with a note each. */
async function inSync(
  name: string,
  schema: Schema,
): Promise<{ field: string; school: string; root: string }> {
  const [field, school] = await Promise.all([makeDevice(name, schema), makeDevice(`${name}-school`, schema)])
  const [one, two] = [await open(field, true), await open(school, true)]
  const { id: root } = await one.morango.certificates.createRoot('full')
  const held = await one.database.kysely
    .selectFrom('morango_certificate')
    .selectAll()
    .executeTakeFirstOrThrow()
  await two.database.kysely.insertInto('morango_certificate').values(held).execute()
  sql(field, (db) => {
    const addBook = db.prepare(`insert into book (id, root, morango_source_id, title, pages)
      values (:id, :root, :morango_source_id, :title, :pages)`)
    const addNote = db.prepare(`insert into note (id, root, morango_source_id, body, book_id)
      values (:id, :root, :morango_source_id, :body, :book_id)`)
    for (let i = 0; i < BOOKS; i++) {
      const pages = i === 0 ? 12 : null
      const book = one.morango.record('book', { root, title: `Book ${i}`, pages })
      addBook.run(book)
      addNote.run(one.morango.record('note', { root, body: `On ${i}`, book_id: book.id }))
    }
  })
  await one.morango.close()
  await two.morango.close()
  await sync(field, school, root)
  expect(counts(school)).toEqual({ books: BOOKS, notes: BOOKS, deleted: 0 })
  return { field, school, root }
}

function counts(directory: string): object {
  return sql(directory, (db) => ({
    ...db
      .prepare(
        `select (select count(*) from book) as books, (select count(*) from note) as notes,
          (select count(*) from morango_store where deleted = 1) as deleted`,
      )
      .get(),
  }))
}

function ok({ code, stdout, stderr }: Finished): string {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80 + folder.length)
  return stdout
}

describe('a table that drizzle-kit rebuilds, which deletes what refers to it', () => {
  test('by itself: found at the start, mended, and nothing deleted on another peer', async () => {
    const { field, school, root } = await inSync('alone', 'full')
    await tool(field, 'full-after')
    expect(counts(field)).toMatchObject({ books: BOOKS, notes: 0 })
    sql(field, (db) => {
      db.exec(`update book set title = 'Edited' where title = 'Book 1'`)
      db.exec(`delete from book where title = 'Book 2'`)
    })
    await expect(open(field)).rejects.toMatchObject({
      code: 'not-migrated',
      message: expect.stringContaining('"book"'),
      hint: expect.stringContaining('morango migrate'),
    })
    const migrated = ok(await run(field, ['migrate']))
    expect(migrated).toMatch(/book +\d+ changed rows? /u)
    expect(migrated).toMatch(/book +1 deleted row /u)
    expect(migrated).toContain('Rows of book, note are gone')
    await expect(sync(field, school, root)).rejects.toMatchObject({ code: 'too-many-deletions' })
    expect(ok(await run(field, ['rescan', '--restore']))).toContain('41 rows written again')
    await around(school, 'full-after')
    await sync(field, school, root)
    for (const directory of [field, school]) {
      expect(counts(directory)).toEqual({ books: BOOKS, notes: BOOKS, deleted: 0 })
      sql(directory, (db) => {
        expect(db.prepare(`select isbn from book where title = 'Edited'`).all()).toMatchObject([
          { isbn: 'none' },
        ])
        expect(db.prepare('select pages from book where pages is not null').all()).toMatchObject([
          { pages: '12' },
        ])
      })
    }
  })

  test.each(['full', 'lean'] as const)(
    'under morango migrate: as if it had never happened (schema: %s)',
    async (schema) => {
      const { field, school, root } = await inSync(`around-${schema}`, schema)
      sql(field, (db) => db.exec(`update note set body = 'Edited just before' where body = 'On 3'`))
      const command = ['migrate', '--', process.execPath, 'tool.mjs', `../${schema}-after`]
      const migrated = ok(await run(field, command))
      expect(migrated).toContain('brought back    40 rows')
      if (schema === 'lean') expect(migrated).toContain('book.morango_source_id')
      expect(counts(field)).toEqual({ books: BOOKS, notes: BOOKS, deleted: 0 })
      await around(school, `${schema}-after`)
      await sync(field, school, root)
      await sync(school, field, root)
      for (const directory of [field, school]) {
        expect(counts(directory)).toEqual({ books: BOOKS, notes: BOOKS, deleted: 0 })
        const lost = 'select count(*) as n from book where morango_source_id is null'
        expect(sql(directory, (db) => db.prepare(lost).get())).toMatchObject({ n: 0 })
        const opened = await open(directory)
        const { models } = await opened.morango.rescan({ dryRun: true })
        expect(models.map(({ missing, different, extra }) => missing + different + extra)).toEqual([0, 0])
        await opened.morango.close()
      }
      sql(school, (db) => {
        expect(db.prepare(`select body from note where body like 'Edited%'`).all()).toHaveLength(1)
      })
    },
  )

  test('a tool that fails or is not there', async () => {
    const device = await makeDevice('broken', 'full')
    const failed = await run(device, ['migrate', '--', process.execPath, '-e', 'process.exit(3)'])
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain('failed with exit code 3')
    const none = await run(device, ['migrate', '--', 'no-such-tool'])
    expect(none.code).toBe(2)
    expect(none.stderr).toContain('`no-such-tool` cannot be started')
    const opened = await open(device)
    await opened.morango.close()
  })
})

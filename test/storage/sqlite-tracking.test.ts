import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { afterAll, describe, expect, it } from 'vitest'
import { createMorango, defineProfile, type Morango, model, scope } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite.ts'
import type { Database } from '../../src/storage/dialect.ts'
import { createMemoryPeer } from '../../src/transport/memory.ts'

const folder = mkdtempSync(join(tmpdir(), 'morango-tracking-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const clinic = defineProfile({
  name: 'clinic',
  models: {
    person: model({ table: 'person', id: 'source-id', partition: '${root}' }),
    visit: model({ table: 'visit', id: 'source-id', partition: '${root}' }),
  },
  scopes: { full: scope({ root: 'root', readWrite: '${root}' }) },
})

const TABLES = `
  create table person (id text primary key not null, root text not null, name text unique,
    code text collate nocase, place text, number integer, unique (place, number));
  create unique index person_code on person (code);
  create table visit (id text primary key not null, root text not null, note text,
    person_id text references person(id) on delete cascade)`

const id = (n: number): string => n.toString(16).padStart(32, '0')

let serial = 0

interface Device {
  readonly path: string
  readonly database: Database
  readonly morango: Morango
}

async function openDevice(open: (path: string) => Database = sqlite): Promise<Device> {
  const path = join(folder, `${serial++}.db`)
  const setup = new DatabaseSync(path)
  setup.exec(TABLES)
  setup.close()
  const database = open(path)
  return { path, database, morango: await createMorango({ database, profiles: [clinic], migrate: true }) }
}

/** The application's own connection, as a driver opens it. */
function application({ path }: Device, statements: string, recursive = false): void {
  const db = new DatabaseSync(path, { timeout: 5000 })
  db.exec(`pragma recursive_triggers = ${recursive ? 'on' : 'off'}`)
  db.exec(statements)
  db.close()
}

async function livePeople({ database }: Device): Promise<string[]> {
  const found = await sql<{ id: string }>`select id from morango_store
    where model_name = 'person' and deleted = 0 order by id`.execute(database.kysely)
  return found.rows.map((row) => row.id)
}

describe.each([false, true])('a connection of the application, recursive triggers: %s', (recursive) => {
  const people = `insert into person (id, root, name, code, place, number) values
    ('${id(1)}', 'r', 'Ada', 'A', 'here', 1), ('${id(2)}', 'r', 'Bea', 'B', 'here', 2),
    ('${id(3)}', 'r', 'Cea', 'C', 'here', 3)`

  it.each([
    [
      'a unique column',
      `insert or replace into person (id, root, name) values ('${id(4)}', 'r', 'Ada')`,
      [1],
    ],
    ['a collation', `replace into person (id, root, code) values ('${id(4)}', 'r', 'b')`, [2]],
    [
      'several columns',
      `insert or replace into person (id, root, place, number) values ('${id(4)}', 'r', 'here', '3')`,
      [3],
    ],
    [
      'several keys at once',
      `insert or replace into person (id, root, name, code) values ('${id(4)}', 'r', 'Ada', 'B')`,
      [1, 2],
    ],
    ['an update', `update or replace person set name = 'Ada' where id = '${id(2)}'`, [1]],
    [
      'rows of one statement',
      `insert or replace into person (id, root, name) values ('${id(4)}', 'r', 'Ada'), ('${id(4)}', 'r', 'Bea')`,
      [1, 2],
    ],
  ])('sees a row that is evicted by %s', async (_, statement, evicted) => {
    const device = await openDevice()
    application(
      device,
      `${people}; insert into visit (id, root, person_id) values ('${id(9)}', 'r', '${id(evicted[0] ?? 0)}')`,
    )
    await device.morango.serialize()
    application(device, `pragma foreign_keys = on; ${statement}`, recursive)
    const result = await device.morango.serialize()
    expect(result.deleted).toBe(evicted.length + 1)
    const left = [1, 2, 3, 4].filter((n) => !evicted.includes(n)).map(id)
    expect(await livePeople(device)).toEqual(statement.startsWith('update') ? left.slice(0, -1) : left)
    const { models } = await device.morango.rescan()
    expect(models.map(({ missing, different, extra }) => missing + different + extra)).toEqual([0, 0])
    await device.morango.close()
  })

  it('does not take a row that stays for changed', async () => {
    const device = await openDevice()
    application(device, people)
    await device.morango.serialize()
    application(
      device,
      `insert or ignore into person (id, root, name) values ('${id(4)}', 'r', 'Ada');
      insert into person (id, root, code) values ('${id(5)}', 'r', 'E');
      insert into person (id, root, name) values ('${id(6)}', 'r', 'Bea') on conflict (name) do update set number = 9`,
      recursive,
    )
    expect(() =>
      application(device, `insert into person (id, root, name) values ('${id(7)}', 'r', 'Cea')`, recursive),
    ).toThrow('UNIQUE')
    expect(await device.morango.serialize()).toEqual({ created: 1, updated: 1, deleted: 0, failed: 0 })
    await device.morango.close()
  })
})

describe.each([
  ['WAL', sqlite],
  ['a rollback journal', (path: string) => sqlite(new DatabaseSync(path, { timeout: 100 }))],
] as const)('other processes that write while we sync, with %s', (_, open) => {
  it('misses none of their writes, and none of them fails', async () => {
    const [field, school] = [await openDevice(open), await openDevice(open)]
    const root = (await school.morango.certificates.createRoot('full')).id
    await copyCertificate(school, field, root)
    const writer = spawn(process.execPath, ['-e', WRITER, field.path, root], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const ended = once(writer, 'close')
    await once(writer.stdout, 'data')
    const service = school.morango.service()
    const way = createMemoryPeer(service, {
      capabilities: field.morango.capabilities,
      onError: () => undefined,
    })
    for (let round = 0; round < 6; round++) {
      application(
        school,
        `insert into person (id, root, name) values ('${id(1000 + round)}', '${root}', 'S${round}')`,
      )
      await field.morango.sync(way, { filter: root })
    }
    writer.stdin.end()
    expect(await ended).toEqual([0, null])
    await field.morango.sync(way, { filter: root })
    for (const table of ['person', 'visit']) {
      const rows = (device: Device): unknown[] => {
        const db = new DatabaseSync(device.path)
        const found = db.prepare(`select * from ${table} order by id`).all()
        db.close()
        return found
      }
      expect(rows(field).length).toBeGreaterThan(0)
      expect(rows(school)).toEqual(rows(field))
    }
    const { models } = await field.morango.rescan()
    expect(models.map(({ missing, different, extra }) => missing + different + extra)).toEqual([0, 0])
    for (const device of [field, school]) {
      await device.morango.close()
    }
  })
})

/** Adds people with visits, edits and deletes them, until its input ends. */
const WRITER = `
  const { DatabaseSync } = require('node:sqlite')
  const [path, root] = process.argv.slice(1)
  const db = new DatabaseSync(path, { timeout: 20000 })
  db.exec('pragma foreign_keys = on')
  let over = false
  process.stdin.on('end', () => { over = true }).resume()
  let n = 0
  const id = (k) => k.toString(16).padStart(32, '0')
  const write = () => {
    n++
    db.exec("insert into person (id, root, name) values ('" + id(2000 + n) + "', '" + root + "', 'P" + n + "')")
    db.exec("insert into visit (id, root, person_id, note) values ('" + id(90000 + n) + "', '" + root + "', '" + id(2000 + n) + "', 'new')")
    if (n % 3 === 0) db.exec("update visit set note = 'edited " + n + "' where id = '" + id(90000 + n - 1) + "'")
    if (n % 5 === 0) db.exec("delete from person where id = '" + id(2000 + n - 4) + "'")
    if (n === 1) process.stdout.write('ready')
    if (!over) setTimeout(write, 2)
    else db.close()
  }
  write()`

async function copyCertificate(from: Device, to: Device, root: string): Promise<void> {
  const held = await from.database.kysely
    .selectFrom('morango_certificate')
    .selectAll()
    .where('id', '=', root)
    .executeTakeFirstOrThrow()
  await to.database.kysely.insertInto('morango_certificate').values(held).execute()
}

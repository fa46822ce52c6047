import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { propose } from '../../src/cli/init/propose.ts'
import { readSampledTables } from '../../src/cli/init/samples.ts'
import { sqlite } from '../../src/sqlite.ts'
import { proposeKind } from '../../src/cli/init/kinds.ts'
import { sqliteType } from '../../src/models/sqlite-types.ts'
import { createField, fromSources, json, run, start } from './support.ts'

const field = createField()
afterAll(() => field.close())

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PATIENT = '0000000000000000000000000000000a'
const CLINIC = `
  create table district (code text primary key, name text);
  create table patient (id text primary key not null, name text not null, is_active integer not null default 1,
    extra text);
  create table visit (id text primary key not null, patient_id text not null references patient (id),
    seen_at datetime not null default current_timestamp, updated_at integer, district text references district);
  create table log (id integer primary key, line text);
  create table pair (a text, b text, primary key (a, b));
  create table bare (a text);
  create table old (id text primary key, n integer);
  create table "it's odd" (id char(32) primary key, "what's this" text);
  create table __drizzle_migrations (id text primary key);
  create view everybody as select name from patient`
const ROWS = `
  insert into patient values ('${PATIENT}', 'Rosa', 1, '{"a": 1}');
  insert into visit (id, patient_id, updated_at) values ('0000000000000000000000000000000b', '${PATIENT}', 1700000000);
  insert into old values ('11111111-1111-1111-1111-111111111111', 1)`

function database(directory: string, ...statements: string[]): void {
  const db = new DatabaseSync(join(directory, 'clinic.db'))
  for (const statement of statements) db.exec(statement)
  db.close()
}

const configIn = (directory: string): string => join(directory, 'morango.config.ts')

function rewrite(directory: string, change: (text: string) => string = (text) => text): void {
  writeFileSync(configIn(directory), fromSources(change(readFileSync(configIn(directory), 'utf8'))))
}

function typecheck(directory: string): void {
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024', 'esnext', 'dom'],
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
    paths: { morango: [join(ROOT, 'src/index.ts')], 'morango/*': [join(ROOT, 'src/*.ts')] },
  }
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['morango.config.ts'] }),
  )
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', directory], {
    encoding: 'utf8',
  })
}

test('tables of plain SQL: those that can sync, why others cannot, and what SQL does not tell', async () => {
  const directory = field.empty()
  database(directory, CLINIC, ROWS)
  const report = await json(directory, ['init', '--database', 'clinic.db', '--yes'])
  expect(report).toMatchObject({
    written: 'morango.config.ts',
    ownership: { by: 'dataset', column: null },
    tables: [
      { table: "it's odd", columns: {} },
      { table: 'patient', columns: { is_active: 'boolean', extra: 'json' } },
      {
        table: 'visit',
        columns: {
          seen_at: { kind: 'date-time', storage: 'sql' },
          updated_at: { kind: 'date-time', storage: 'epoch-seconds' },
        },
        remarks: ['district refers to district, which does not sync: its rows must be on every device'],
      },
    ],
  })
  const reasons = Object.fromEntries(
    Object(report).refused.map(({ table, reason }: { table: string; reason: string }) => [table, reason]),
  )
  expect(reasons).toEqual({
    __drizzle_migrations: expect.stringContaining('migration tool'),
    bare: expect.stringContaining('no primary key'),
    district: expect.stringContaining('primary key is "code"'),
    everybody: expect.stringContaining('a view'),
    log: expect.stringContaining('type INTEGER'),
    old: expect.stringContaining('UUIDs with dashes'),
    pair: expect.stringContaining('(a, b)'),
  })
  typecheck(directory)
})

test('from plain tables to a sync, all rows in one dataset', async () => {
  const desk = field.empty()
  database(desk, CLINIC, ROWS)
  const written = await run(desk, ['init', '--database', 'clinic.db', '--yes'])
  expect(written).toMatchObject({ code: 0, stderr: '' })
  expect(written.stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  rewrite(desk)
  expect(await json(desk, ['migrate'])).toMatchObject({ logged: 2 })
  const { id } = Object(await json(desk, ['cert', 'create-root', 'owner']))
  rewrite(desk, (text) => text.replace(`dataset: string = ''`, `dataset: string = '${id}'`))

  const tablet = field.empty()
  database(tablet, CLINIC)
  writeFileSync(configIn(tablet), readFileSync(configIn(desk)))
  await run(tablet, ['migrate'])
  const serving = start(desk, ['serve', '--port', '0'], { env: { MORANGO_SERVE_PASSWORD: 'secret' } })
  try {
    const url = /http:\S+/u.exec(await serving.firstLine())?.[0] ?? ''
    const wish = ['--scope', 'member', '--param', `dataset=${id}`, '--username', 'device']
    await json(tablet, ['cert', 'request', url, ...wish], { env: { MORANGO_PASSWORD: 'secret' } })
    expect(await json(tablet, ['sync', url, '-f', id])).toMatchObject({ pulled: 2, pushed: 0 })
    expect(await json(tablet, ['problems'])).toEqual([])
  } finally {
    serving.child.kill('SIGTERM')
    await serving.finished
  }
  const db = new DatabaseSync(join(tablet, 'clinic.db'))
  expect(db.prepare('select name, is_active, extra from patient').all()).toEqual([
    { name: 'Rosa', is_active: 1, extra: '{"a": 1}' },
  ])
  expect(db.prepare('select updated_at from visit').all()).toEqual([{ updated_at: 1_700_000_000 }])
  db.close()
})

describe('who gets a row', () => {
  const SITED =
    'create table patient (id text primary key, site text); create table visit (id text primary key, site text)'
  const NORTH = `insert into patient values ('${PATIENT}', 'north')`
  const OF_ROOT = `insert into patient values ('${PATIENT}', '${'c'.repeat(32)}')`

  test.each([
    ['a column without values', [SITED], undefined, { by: 'column', column: 'site' }],
    ['a column of ids', [SITED, OF_ROOT], undefined, { by: 'column', column: 'site' }],
    ['a column of anything else', [SITED, NORTH], undefined, { by: 'dataset', column: 'site' }],
    ['a column that is named', [CLINIC], 'name', { by: 'column', column: 'name' }],
  ])('%s', async (_name, statements, partition, ownership) => {
    const connection = new DatabaseSync(':memory:')
    for (const statement of statements) connection.exec(statement)
    const proposal = propose(await readSampledTables(sqlite(connection)), { profile: 'app', partition })
    expect(proposal.ownership).toEqual(ownership)
    expect(proposal.tables.length).toBeGreaterThan(0)
    connection.close()
  })

  test('the dataset is named, and so is the profile', async () => {
    const directory = field.empty()
    database(directory, SITED, NORTH)
    const id = 'd'.repeat(32)
    await json(directory, ['init', '-d', 'clinic.db', '-y', '--dataset', id, '--profile', 'new clinic'])
    expect(readFileSync(configIn(directory), 'utf8')).toContain(`const dataset: string = '${id}'`)
    rewrite(directory)
    await run(directory, ['migrate'])
    expect(await json(directory, ['status'])).toMatchObject({ pendingChanges: 1 })
  })
})

describe('refuses', () => {
  test.each([
    ['to ask where nobody is', ['init'], /nobody to ask\.\n.*--database and --yes/u],
    ['a file that is not there', ['init', '-d', 'nowhere.db', '-y'], /no file nowhere\.db/u],
    ['a table that is not there', ['init', '-d', 'clinic.db', '-y', '--tables', 'x'], /no table "x"/u],
    ['a column that is not there', ['init', '-d', 'clinic.db', '-y', '--partition', 'x'], /column "x"/u],
    [
      'a name that is too long',
      ['init', '-d', 'clinic.db', '-y', '--profile', 'x'.repeat(21)],
      /20 letters/u,
    ],
    ['what is no id', ['init', '-d', 'clinic.db', '-y', '--dataset', 'x'], /32 hex digits/u],
  ])('%s', { concurrent: true }, async (_name, args, message) => {
    const directory = field.empty()
    database(directory, CLINIC)
    const { code, stdout, stderr } = await run(directory, args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
  })

  test('to write over a file, what is no database, and one without tables that can sync', async () => {
    const directory = field.empty()
    database(directory, 'create table note (id integer primary key)')
    const none = await run(directory, ['init', '-d', 'clinic.db', '-y', '--json'])
    expect(none.code).toBe(1)
    expect(JSON.parse(none.stdout)).toMatchObject({ error: { code: 'nothing-to-sync' } })
    database(directory, CLINIC)
    writeFileSync(configIn(directory), 'mine')
    const over = await run(directory, ['init', '-d', 'clinic.db', '-y'])
    expect(over.code).toBe(2)
    expect(readFileSync(configIn(directory), 'utf8')).toBe('mine')
    const text = await run(directory, ['init', '-d', 'morango.config.ts', '-y', '-o', 'other.ts'])
    expect(text).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be read as a SQLite') })
    expect(await run(directory, ['init', '-d', 'clinic.db', '-y', '--force'])).toMatchObject({ code: 0 })
    expect(readFileSync(configIn(directory), 'utf8')).toContain('defineConfig')
  })
})

test.each([
  ['integer', 'is_open', ['0', '1'], 'boolean'],
  ['integer', 'is_open', ['0', '2'], undefined],
  ['integer', 'visits', ['0', '1'], undefined],
  ['integer', 'created_at', ['1700000000123'], { kind: 'date-time', storage: 'epoch-milliseconds' }],
  ['integer', 'created_at', [], undefined],
  ['datetime', 'seen', ['2024-05-06 07:08:09'], { kind: 'date-time', storage: 'sql' }],
  ['datetime', 'seen', ['2024-05-06T07:08:09Z'], undefined],
  ['text', 'seen', ['2024-05-06T07:08:09.123Z'], 'date-time'],
  ['text', 'seen', ['2024-05-06T07:08:09.123Z', 'soon'], undefined],
  ['text', 'answers', ['[1]', '{}'], 'json'],
  ['text', 'answers', ['[1]', '{'], undefined],
  ['', 'any', ['1', '2'], 'integer'],
  ['', 'any', [], 'text'],
])('a column %j called %s with %j', (declaredType, name, texts, kind) => {
  const samples = texts.map((text) => ({ type: /^\d+$/u.test(text) ? 'integer' : 'text', text }))
  const column = { name, declaredType, ...sqliteType(declaredType), nullable: true, defaultSql: undefined }
  expect(proposeKind(column, samples)).toEqual(kind)
})

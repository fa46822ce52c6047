import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { propose } from '../../src/cli/init/propose.ts'
import { readSampledTables } from '../../src/cli/init/samples.ts'
import { fromSources, json, run, start } from '../cli/support.ts'
import { DATABASE, makeTestDatabase } from '../databases/index.ts'

const ID = '11111111-1111-1111-1111-111111111111'
const TABLES = [
  'create table patient (id uuid primary key, name text not null, site text not null, seen timestamptz, extra jsonb)',
  `create table visit (id uuid primary key, patient_id uuid not null references patient (id), site text not null,
    note text, answers text)`,
  'create table log (id serial primary key, line text)',
  'create table old (id text primary key)',
]
const ROWS = [
  `insert into patient values ('${ID}', 'Rosa', 'north', now(), '{"a": 1}')`,
  `insert into visit values ('${ID.replaceAll('1', '2')}', '${ID}', 'north', 'first', '[1, 2]')`,
  "insert into old values ('one')",
]

test('what is proposed of tables of PostgreSQL', async () => {
  const store = await makeTestDatabase()
  const database = await store.open()
  try {
    const { sql } = await import('kysely')
    for (const statement of [...TABLES, ...ROWS]) await sql.raw(statement).execute(database.kysely)
    const proposal = propose(await readSampledTables(database), { profile: 'app' })
    expect(proposal.ownership).toEqual({ by: 'dataset', column: 'site' })
    expect(proposal.tables).toEqual([
      { table: 'patient', columns: {}, remarks: [] },
      { table: 'visit', columns: { answers: 'json' }, remarks: [] },
    ])
    expect(proposal.refused.map(({ table }) => table)).toEqual(['log', 'old'])
  } finally {
    await database.close()
    await store.destroy()
  }
})

// A process of its own reaches no PGlite instance of ours.
describe.skipIf(DATABASE !== 'postgres')('the command on a server', () => {
  test('from plain tables to a sync, and no password in the file', async () => {
    const { makeOnServer } = await import('../databases/server.ts')
    const [desk, tablet] = await Promise.all([makeOnServer(), makeOnServer()])
    const root = mkdtempSync(join(tmpdir(), 'morango-init-'))
    const config = join(root, 'morango.config.ts')
    const withPassword = new URL(desk.url)
    withPassword.password = 'hidden'
    try {
      await query(desk.url, [...TABLES, ...ROWS])
      await query(tablet.url, TABLES)
      await json(root, ['init', '--database', withPassword.href, '--yes'])
      const text = readFileSync(config, 'utf8')
      expect(text).not.toContain('hidden')
      expect(text).toContain("postgres(process.env['DATABASE_URL'] ?? 'postgres://")
      writeFileSync(config, fromSources(text))
      expect(await json(root, ['migrate'])).toMatchObject({ logged: 2 })
      const { id } = Object(await json(root, ['cert', 'create-root', 'owner']))
      writeFileSync(config, fromSources(text.replace(`dataset: string = ''`, `dataset: string = '${id}'`)))

      const there = { DATABASE_URL: tablet.url }
      await run(root, ['migrate'], { env: there })
      const serving = start(root, ['serve', '--port', '0'], { env: { MORANGO_SERVE_PASSWORD: 'secret' } })
      try {
        const url = /http:\S+/u.exec(await serving.firstLine())?.[0] ?? ''
        const params = ['--param', `dataset=${id}`, '--param', 'site=north']
        await json(root, ['cert', 'request', url, '--scope', 'part', ...params, '--username', 'device'], {
          env: { ...there, MORANGO_PASSWORD: 'secret' },
        })
        expect(await json(root, ['sync', url, '-f', `${id}:north:`], { env: there })).toMatchObject({
          pulled: 2,
          problems: { undeserialized: 0 },
        })
      } finally {
        serving.child.kill('SIGTERM')
        await serving.finished
      }
      expect(await query(tablet.url, ['select name from patient'])).toEqual([{ name: 'Rosa' }])
    } finally {
      await desk.destroy()
      await tablet.destroy()
      rmSync(root, { recursive: true })
    }
  })
})

async function query(url: string, statements: readonly string[]): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    let rows: unknown[] = []
    for (const statement of statements) rows = (await client.query(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}

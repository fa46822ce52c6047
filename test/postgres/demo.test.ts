import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { DATABASE } from '../databases/index.ts'
import { expectStory, runDemo } from '../demo/support.ts'

describe.skipIf(DATABASE !== 'postgres')('the demo on a server', () => {
  let directory = ''
  let client: pg.Client

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'morango-test-'))
    client = new pg.Client({ connectionString: inject('postgresUrl') })
    await client.connect()
  })

  afterEach(async () => {
    await client.query('drop schema if exists morango_demo cascade')
    await client.end()
    await rm(directory, { recursive: true, force: true })
  })

  const cloud = (): string => `--cloud=${inject('postgresUrl')}`
  const schemas = async (): Promise<unknown[]> => {
    const { rows } = await client.query("select 1 from pg_namespace where nspname = 'morango_demo'")
    return rows
  }

  test('holds what it claims, and drops its schema', async () => {
    const output = await expectStory(directory, cloud())
    expect(output).toContain('the schema that the demo\nmakes, and drops, is morango_demo')
    expect(await schemas()).toEqual([])
    expect(await readdir(directory)).toEqual([])
  })

  test('keeps the schema when it is told so, and replaces it in the next run', async () => {
    const kept = runDemo(directory, '--countries', 'AD,LI', '--keep', cloud())
    expect(await kept.ended).toBe(0)
    expect(kept.output()).toContain("Cloud's is the schema morango_demo")
    const { rows } = await client.query('select count(*)::integer as n from morango_demo.place')
    expect(rows).toEqual([{ n: 29 }])
    await expectStory(directory, cloud())
    expect(await schemas()).toEqual([])
  })

  test('drops the schema when it is interrupted', async () => {
    const { child, ended, output } = runDemo(directory, '--countries', 'AD,LI', cloud())
    await expect.poll(output, { timeout: 180_000 }).toContain('City gets no certificate')
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(await schemas()).toEqual([])
  })

  test('leaves alone a schema that it has not made', async () => {
    await client.query('create schema morango_demo create table precious (id integer)')
    const { ended, output } = runDemo(directory, cloud())
    expect(await ended).toBe(1)
    expect(output()).toContain('has a schema morango_demo that the demo has not made')
    const { rows } = await client.query('select * from morango_demo.precious')
    expect(rows).toEqual([])
  })

  test('does not start beside another', async () => {
    const first = runDemo(directory, '--countries', 'AD,LI', cloud())
    await expect.poll(first.output, { timeout: 180_000 }).toContain('Remote surveys')
    const second = runDemo(directory, cloud())
    expect(await second.ended).toBe(1)
    expect(second.output()).toContain('Another demo is running')
    expect(await first.ended).toBe(0)
  })
})

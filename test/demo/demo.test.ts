import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { expectStory, runDemo } from './support.ts'

let directory = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'morango-test-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

test('the demo holds what it claims, and leaves nothing behind', async () => {
  expect(await expectStory(directory)).toContain('Cloud has PostgreSQL (PGlite')
  expect(await readdir(directory)).toEqual([])
})

test('it does on SQLite alone', async () => {
  expect(await expectStory(directory, '--cloud=sqlite')).toContain('All are SQLite.')
  expect(await readdir(directory)).toEqual([])
})

test('it can be interrupted, and leaves nothing behind', async () => {
  const { child, ended, output } = runDemo(directory, '--countries', 'AD,LI')
  await expect.poll(output, { timeout: 90_000 }).toContain('City gets no certificate')
  child.kill('SIGINT')
  expect(await ended).toBe(130)
  expect(output()).toContain('Stopped.')
  expect(await readdir(directory)).toEqual([])
})

test('an unknown country is said to be one', async () => {
  const { ended, output } = runDemo(directory, '--countries', 'AD,XX')
  expect(await ended).toBe(1)
  expect(output()).toContain('GeoNames has no places of a country "XX"')
  expect(await readdir(directory)).toEqual([])
})

test.each(['mysql://localhost/x', 'postgres:x', 'postgres', ''])('--cloud=%s is refused', async (cloud) => {
  const { ended, output } = runDemo(directory, `--cloud=${cloud}`)
  expect(await ended).toBe(1)
  expect(output()).toContain('Say pglite, sqlite, or a URL as postgres://user@host:5432/database.')
  expect(await readdir(directory)).toEqual([])
})

test('a server that is not there is said not to be', async () => {
  const { ended, output } = runDemo(directory, '--cloud=postgres://ana:secret@127.0.0.1:1/x')
  expect(await ended).toBe(1)
  expect(output()).toContain('PostgreSQL at 127.0.0.1:1 cannot be reached: connect ECONNREFUSED')
  expect(output()).not.toContain('secret')
  expect(await readdir(directory)).toEqual([])
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { addPlaces, createField, json, run, type Running, sql, start } from './support.ts'

const field = createField()
let country = ''
let one = ''
let two = ''
let serving: Running
let url = ''

const idOf = (n: number): string => n.toString(16).padStart(32, '0')
const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length))

beforeAll(async () => {
  one = field.device('one')
  two = field.device('two')
  await Promise.all([run(one, ['migrate']), run(two, ['migrate'])])
  country = Reflect.get(Object(await json(one, ['cert', 'create-root', 'full-country'])), 'id')
  addPlaces(one, country, ['Apia', 'Asau', 'Safotu'])
  serving = start(one, ['serve', '--port', '0'])
  url = /http:\S+/u.exec(await serving.firstLine())?.[0] ?? ''
  const wanted = ['--scope', 'country-member', '--param', `country_id=${country}`]
  await run(two, ['cert', 'request', url, ...wanted, '--username', 'ana'], {
    env: { MORANGO_PASSWORD: 'secret' },
  })
})

afterAll(async () => {
  serving.child.kill('SIGKILL')
  await serving.finished
  field.close()
})

test('a sync that is only foreseen changes nothing', async () => {
  addPlaces(two, country, ['Tafua'], 20)
  const { code, stdout, stderr } = await run(two, ['sync', url, '-f', country, '--dry-run'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
    `A sync with ${url} would do this. Nothing was changed.`,
    '',
    '  pull       3 records',
    '  push       1 record',
    '  conflicts  none',
    '',
    '        model  records  deletions  uncompressed',
    expect.stringMatching(/^ {2}pull {2}place {8}3 {10}0 +\d+ B$/u),
    expect.stringMatching(/^ {2}push {2}place {8}1 {10}0 +\d+ B$/u),
    '',
  ])
  const status = await json(two, ['status'])
  expect(status).toMatchObject({ instance: { counter: 0 }, pendingChanges: 1, models: [], sessions: [] })
  expect(await json(two, ['sync', url, '-f', country, '--dry-run', '--pull'])).toMatchObject({
    peer: url,
    transfers: [{ direction: 'pull', records: 3, models: [{ model: 'place', records: 3 }] }],
    conflicts: 0,
  })
})

test('a sync that stops at a limit says so, and goes on', async () => {
  const limited = await run(two, ['sync', url, '-f', country, '--chunk-size', '1', '--max-bytes', '1'])
  expect(limited.code).toBe(0)
  expect(limited.stdout).toMatch(/^Parked after .*: the sync with .* is not complete\.$/mu)
  expect(limited.stdout).toMatch(/parked +in the pull, after 1 of 3 records: the bytes are used up$/mu)
  expect((await run(two, ['peers'])).stdout).toMatch(/ {2}open +1 session: a sync under way, parked/u)
  const report = await json(two, ['sync', url, '-f', country, '--max-bytes', '10M', '--max-seconds', '600'])
  expect(report).toMatchObject({ parked: null, transfers: [{ resumed: true }, {}] })
})

test('who was synced with', async () => {
  const { stdout } = await run(two, ['peers'])
  expect(widest(stdout)).toBeLessThan(80)
  expect(stdout).toMatch(new RegExp(`^[a-z-]+ \\(.*\\) {2}${url}$`, 'mu'))
  expect(stdout).toMatch(/progress +has ours up to \d+ of \d+; lacks no record of that filter$/mu)
  expect((await run(one, ['peers'])).stdout).toContain('comes here')
  expect((await run(two, ['sync', 'http://127.0.0.1:9/', '-f', country])).code).toBe(1)
  addPlaces(two, country, ['Vailoa'], 30)
  expect(await json(two, ['peers'])).toMatchObject([
    { address: 'http://127.0.0.1:9/', instance: null, lastSuccessAt: null, lastError: { code: 'network' } },

    { role: 'server', address: url, progress: { records: 1 } },
  ])
})

test('why a row did not sync, in the first line', async () => {
  const first = async (...args: string[]): Promise<string | undefined> => {
    const { code, stdout, stderr } = await run(two, ['explain', 'place', ...args])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(widest(stdout)).toBeLessThan(80)
    return stdout.split('\n')[0]
  }
  expect(await first(idOf(30))).toBe('The change was made after the last sync: the next one takes it up.')
  expect(await first(idOf(1), '--peer', url)).toMatch(/^The record has synced: /u)
  expect(await first(idOf(99), '--peer', url)).toMatch(/^Nothing is known here of a record of this id/u)
  expect(await json(two, ['explain', 'place', idOf(1), '--peer', url])).toMatchObject({
    peer: { url, asked: true },
    verdict: { link: null, hint: null },
    links: [
      { link: 'row', state: 'ok' },
      {},
      {},
      {},
      {},
      {},
      {},
      { link: 'claim', evidence: { asked: true } },
      {},
      {},
      {},
    ],
  })
  const unknown = await run(two, ['explain', 'town', idOf(1)])
  expect(unknown.stderr).toMatch(/There is no model "town"\.\n {7}Use one of: place\./u)

  sql(two, (db) => db.exec('drop trigger morango_log_place_update'))
  expect(await first(idOf(1))).toMatch(/not ready to sync|not seen/u)
})

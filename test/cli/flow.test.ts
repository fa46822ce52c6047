import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addPlaces, createField, createGate, json, run, type Running, sql, start } from './support.ts'

const field = createField()
let country = ''
let one = ''
let two = ''
let serving: Running
let url = ''

beforeAll(async () => {
  one = field.device('one')
  two = field.device('two')
  await Promise.all([run(one, ['migrate']), run(two, ['migrate'])])
  country = Reflect.get(Object(await json(one, ['cert', 'create-root', 'full-country'])), 'id')
  addPlaces(one, country, ['Apia', 'Asau', 'Safotu'])
  serving = start(one, ['serve', '--port', '0'])
  url = /http:\S+/u.exec(await serving.firstLine())?.[0] ?? ''
})

afterAll(async () => {
  serving.child.kill('SIGKILL')
  await serving.finished
  field.close()
})

function requestArgs(): string[] {
  const wanted = ['--scope', 'country-member', '--param', `country_id=${country}`]
  return ['cert', 'request', url, ...wanted, '--username', 'ana']
}

describe('from a fresh device to a synced one', () => {
  test('a certificate by user name and password', async () => {
    const wrong = await run(two, requestArgs(), { env: { MORANGO_PASSWORD: 'guess' } })
    expect(wrong).toMatchObject({ code: 1, stdout: '' })
    expect(wrong.stderr).toMatch(/^error: .*\(401\).*\n {7}Check the user name and the password\.\n$/u)

    const none = await run(two, requestArgs())
    expect(none.code).toBe(2)
    expect(none.stderr).toContain('MORANGO_PASSWORD')

    const right = await run(two, [...requestArgs(), '--password-stdin'], { input: 'secret\n' })
    expect(right).toMatchObject({ code: 0, stderr: '' })
    expect(right.stdout).toContain(`params  country_id=${country}`)
    expect(await json(two, ['cert', 'list'])).toMatchObject([{ parentId: country, scope: 'country-member' }])
  })

  test('Ctrl-C in the midst of a pull, and going on with it', async () => {
    const gate = await createGate(url)
    const held = gate.hold()
    const stopped = start(two, ['sync', gate.url, '--filter', country])
    await held
    stopped.child.kill('SIGINT')
    const { code, stdout, stderr } = await stopped.finished
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
    expect(stderr).toMatch(
      /error: The sync was stopped\.\n {7}.*the next sync goes on where this one stopped\.\n$/u,
    )
    expect((await run(two, ['status'])).stdout).toContain('pull unfinished')

    gate.open()
    const report = await json(two, ['sync', gate.url, '--filter', country])
    expect(report).toMatchObject({
      pulled: 3,
      pushed: 0,
      transfers: [{ direction: 'pull', resumed: true }, {}],
    })

    const again = gate.hold()
    addPlaces(one, country, ['Lufilufi'], 4)
    const left = start(two, ['sync', gate.url, '--filter', country, '--pull', '--json'])
    await again
    left.child.kill('SIGTERM')
    const aborted = await left.finished
    expect(aborted.code).toBe(143)
    expect(JSON.parse(aborted.stdout)).toMatchObject({ error: { code: 'aborted' } })
    expect(await json(two, ['cleanup'])).toEqual({
      closedSessions: 0,
      forgottenConflicts: 0,
      forgottenSessions: 0,
    })
    expect((await run(two, ['cleanup', '--older-than', '0'])).stdout).toMatch(/^Closed 1 session /u)
    expect((await run(two, ['status'])).stdout).toContain('pull given up')
    await gate.close()
  })

  test('a sync, its progress in a pipe, and its summary', async () => {
    addPlaces(two, country, ['Salelologa', 'Tafua'], 20)
    const { code, stdout, stderr } = await run(two, ['sync', url, '-f', country, '--chunk-size', '1'])
    expect(code).toBe(0)
    expect(stderr.split('\n').map((line) => line.replace(/,? ?[\d.]+( (ms|s|B|kB)|\/s)/gu, ''))).toEqual([
      'pull serializing:',
      'pull queuing:',
      'pull transferring: 1 record',
      'pull dequeuing: 1 record',
      'pull deserializing: 1 record',
      'push serializing:',
      'push queuing:',
      'push transferring: 2 records',
      'push dequeuing:',
      'push deserializing:',
      '',
    ])
    expect(stdout).toMatch(/^Synced with http.* in /u)
    expect(stdout).toMatch(/^ {2}pulled +1 record \(1 new\)$/mu)
    expect(stdout).toMatch(/^ {2}pushed +2 records$/mu)
    expect(stdout).toMatch(/^ {2}conflicts +none$/mu)
    expect(stdout).toMatch(/^ {2}problems +none$/mu)
    expect(stdout).toMatch(/^ {2}network .* in, .* out, \d+ round trips$/mu)
    expect(stdout).not.toContain('\u001B')

    const second = await run(two, ['sync', url, '-f', country])
    expect(second.stdout).toMatch(/^In sync with .*: nothing to pull, nothing to push/u)
  })

  test('problems do not fail a sync, and are told', async () => {
    sql(two, (db) => db.exec(`update place set name = 'Vailima' where name = 'Apia'`))
    sql(two, (db) => db.exec(`insert into place (id, country_id, name) values ('x', '', 'Nowhere')`))
    addPlaces(one, country, ['Vailima'], 40)
    const synced = await run(two, ['sync', url, '-f', country, '--pull'])
    expect(synced.code).toBe(0)
    expect(synced.stdout).toMatch(
      /problems +1 received record could not be applied\n +1 changed row could not be sent/u,
    )
    expect(synced.stdout).toContain('See why: morango problems')

    const list = await json(two, ['problems'])
    expect(list).toMatchObject([{ model: 'place' }, { model: 'place' }])
    expect((await run(two, ['problems'])).stdout).toMatch(/^2 problems.*Its name is taken: place/su)
    expect(await json(two, ['status'])).toMatchObject({ problems: { unserialized: 1, undeserialized: 1 } })
  })

  test('a certificate pushed to a peer', async () => {
    const [certificate] = JSON.parse(JSON.stringify(await json(two, ['cert', 'list'])))
    const args = ['--scope', 'place-reader', '--param', `country_id=${country}`, '--parent', certificate.id]
    expect(await json(two, ['cert', 'push', url, ...args])).toMatchObject({ parentId: certificate.id })
    expect((await run(one, ['cert', 'list'])).stdout).toContain('place-reader')
  })

  test('a new instance after a restore', async () => {
    const { instance } = Object(await json(two, ['status']))
    const { code, stdout } = await run(two, ['renew'])
    expect({ code, lines: stdout.split('\n') }).toEqual({
      code: 0,
      lines: [
        `This was instance ${instance.id}.`,
        expect.stringMatching(/^It goes on as   [0-9a-f]{32}\.$/u),
        '',
      ],
    })
    expect(Object(await json(two, ['status'])).instance.id).not.toBe(instance.id)
    expect(await json(two, ['sync', url, '--filter', country])).toMatchObject({ pulled: 0 })
  })

  test('the server stops in good order', async () => {
    const port = new URL(url).port
    const taken = await run(one, ['serve', '--port', port])
    expect(taken.code).toBe(1)
    expect(taken.stderr).toContain(`Port ${port} of 127.0.0.1 is in use`)

    serving.child.kill('SIGTERM')
    expect(await serving.finished).toMatchObject({ code: 0, stderr: '' })
    const refused = await run(two, ['sync', url, '-f', country, '--json'])
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'network' } })
    expect(refused.stderr).toMatch(
      /^error: The peer at .* cannot be reached.*\n {7}Check the URL and the connection\.\n$/u,
    )
  })
})

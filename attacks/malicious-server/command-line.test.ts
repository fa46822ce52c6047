import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createField, json as answerOf, run } from '../../test/cli/support.ts'
import { type Answer, json, type MaliciousServer, serveMalicious } from './layer.ts'

/** An escape sequence, C1, a bell, directions, zero widths, separators, half a pair. */
const NASTY = 'x\u001B[35m\u001B]0;title\u0007\u009B2J\u007F\u202Egnp.exe\u2066\u200B\uFEFF\u2028\r\ny'
const FORBIDDEN = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u

const PASSWORD = 'correct-horse'

const WORDS: readonly (readonly [string, Answer])[] = [
  ['an error of JSON', json({ [NASTY]: [NASTY] }, 400)],
  ['an error of text', { status: 403, headers: {}, body: NASTY }],
  ['a page', { status: 403, headers: {}, body: `<html><title>${NASTY}</title>` }],
  [
    'a way elsewhere',
    { status: 307, headers: { location: encodeURI(`http://evil.test/${NASTY}`) }, body: '' },
  ],
  ['certificates', json([{ id: NASTY, serialized: NASTY, signature: NASTY }])],
]

const field = createField()
const open: MaliciousServer[] = []
let device = ''
let country = ''

beforeAll(async () => {
  device = field.device('victim')
  await run(device, ['migrate'])
  const made: unknown = await answerOf(device, ['cert', 'create-root', 'full-country'])
  country = String(Reflect.get(Object(made), 'id'))
})

afterAll(async () => {
  for (const server of open) await server.close()
  field.close()
})

describe('a malicious server, and the command line', () => {
  it.each(WORDS)('shows nothing that a terminal obeys, told %s', async (_what, answer) => {
    const server = await serveMalicious(() => answer)
    open.push(server)
    const request = ['--scope', 'country-member', '--param', `country_id=${country}`, '--username', 'ana']
    const from = ['--primary-partition', country, '--password-stdin']
    const finished = [
      await run(device, ['sync', server.url, '--filter', country, '--verbose']),
      await run(device, ['cert', 'request', server.url, ...request, ...from], { input: `${PASSWORD}\n` }),
      await run(device, ['peers']),
    ]
    for (const { stdout, stderr } of finished) {
      expect(stdout).not.toMatch(FORBIDDEN)
      expect(stderr).not.toMatch(FORBIDDEN)
      expect(stdout + stderr).not.toContain(PASSWORD)
    }
    expect(finished.slice(0, 2).map(({ code }) => code)).not.toContain(0)
    const basic = Buffer.from(`ana:${PASSWORD}`).toString('base64')
    expect(server.seen.filter(({ headers }) => headers.includes(basic))).toEqual([])
    expect(server.seen.length).toBeGreaterThan(0)
  })
})

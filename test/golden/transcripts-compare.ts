import { isDeepStrictEqual } from 'node:util'
import type { Answer } from './transcripts-replay.ts'
import { isJson } from './transcripts-data.ts'
import type { Exchange } from './transcripts-data.ts'
import type { Expected } from './transcripts-exceptions.ts'
import { SERVER_INSTANCE } from './transcripts-server.ts'

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
const VERSION = /^\d+(\.\d+)*/

/** What goes on in the words of whoever found the fault. */
const OWN_WORDS = ['JSON parse error - ', 'Saving certificate chain has failed: ']

type Check = (expected: unknown, actual: unknown) => boolean

/** What may differ from the recording, by key, and how it is checked instead. */
const LOOSE: Readonly<Record<string, Check>> = {
  timestamp: isInstant,
  start_timestamp: isInstant,
  last_activity_timestamp: isInstant,
  version: (_expected, actual) => typeof actual === 'string' && VERSION.test(actual),
  system_os: (_expected, actual) => typeof actual === 'string' && actual !== '',
  capabilities: sameSet,
  server_fsic: sameFsic,
  client_fsic: sameFsic,
  server_instance: sameInstance,
}

/** The answer to the exchange of that number. */
export function answerAt(answers: readonly Answer[], index: number): Answer {
  const answer = answers[index]
  if (answer === undefined) throw new Error(`Exchange ${index} was not sent`)
  return answer
}

/** What differs between an answer and what it must be where none is recorded. */
export function shortfalls({ status, body, text }: Answer, expected: Expected): string[] {
  const found: string[] = []
  if (status !== expected.status) found.push(`status ${status}, not ${expected.status}: ${text}`)
  if (isRefusal(status) && !isProblem(body)) found.push(`no reason: ${text}`)
  for (const [key, value] of Object.entries(expected.body ?? {})) {
    const member = isJson(body) ? body[key] : undefined
    if (!isDeepStrictEqual(member, value)) {
      found.push(`${key}: ${JSON.stringify(member)}, not ${JSON.stringify(value)}`)
    }
  }
  return found
}

/** What differs between a recorded answer and ours. Of the records in pages only the number is looked at. */
export function differences(recorded: Exchange, answer: Answer): string[] {
  const found: string[] = []
  const { status } = recorded
  if (answer.text !== '' && answer.headers.get('content-type') !== 'application/json') {
    found.push(`content type ${String(answer.headers.get('content-type'))}`)
  }
  // Where the original crashes ours refuses.
  const good = status === 500 ? isRefusal(answer.status) : answer.status === status
  if (!good) found.push(`status ${answer.status}, not ${String(status)}: ${answer.text}`)
  for (const name of ['location', 'www-authenticate']) {
    const header = recordedHeader(recorded, name)
    if (header !== (answer.headers.get(name) ?? undefined)) {
      found.push(`${name}: ${String(answer.headers.get(name))}, not ${String(header)}`)
    }
  }
  const expected = recorded.response_body
  if (isHtml(expected)) return isProblem(answer.body) ? found : [...found, `body: ${answer.text}`]
  compare(expected ?? undefined, answer.body, '', found)
  return found
}

/** Whether a status says that the request is to blame. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500
}

/** Whether a body is one of those that an error has (protocol §4). */
function isProblem(body: unknown): boolean {
  if (typeof body === 'string') return body !== ''
  if (Array.isArray(body)) return body.length > 0 && body.every((item) => typeof item === 'string')
  return isJson(body) && Object.keys(body).length > 0
}

function isHtml(body: unknown): boolean {
  return isJson(body) && '__text__' in body
}

function recordedHeader({ response_headers: headers = {} }: Exchange, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
}

function compare(expected: unknown, actual: unknown, path: string, found: string[]): void {
  const tell = (): void => {
    found.push(`${path === '' ? 'body' : path}: ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`)
  }
  if (isJson(expected)) {
    if (!isJson(actual)) return tell()
    if (!sameSet(Object.keys(expected), Object.keys(actual))) {
      found.push(`${path} keys: ${Object.keys(actual).join()}, not ${Object.keys(expected).join()}`)
    }
    for (const [key, value] of Object.entries(expected)) compareMember(key, value, actual[key], found)
    return
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return tell()
    // A list with one message is what a chunk is refused with; each says in its own words why.
    if (path === '' && [...expected, ...actual].every((item) => typeof item === 'string')) return
    expected.forEach((item, index) => {
      compare(item, actual[index], `${path}[${index}]`, found)
    })
    return
  }
  if (actual !== expected && !OWN_WORDS.some((words) => beginWith(words, expected, actual))) tell()
}

function compareMember(key: string, expected: unknown, actual: unknown, found: string[]): void {
  const check = LOOSE[key]
  if (key === 'results') {
    if (!sameLength(expected, actual)) found.push(`results: ${JSON.stringify(actual)}`)
  } else if (check === undefined) {
    compare(expected, actual, key, found)
  } else if (!check(expected, actual)) {
    found.push(`${key}: ${JSON.stringify(actual)}, not like ${JSON.stringify(expected)}`)
  }
}

function beginWith(words: string, ...values: unknown[]): boolean {
  return values.every((value) => typeof value === 'string' && value.startsWith(words))
}

function isInstant(_expected: unknown, actual: unknown): boolean {
  return typeof actual === 'string' && INSTANT.test(actual)
}

function sameSet(expected: unknown, actual: unknown): boolean {
  if (!Array.isArray(expected) || !Array.isArray(actual)) return false
  return isDeepStrictEqual(new Set(expected), new Set(actual))
}

function sameLength(expected: unknown, actual: unknown): boolean {
  return Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length
}

function sameInstance(expected: unknown, actual: unknown): boolean {
  if (typeof expected !== 'string' || typeof actual !== 'string') return false
  const theirs: unknown = JSON.parse(expected)
  const ours: unknown = JSON.parse(actual)
  if (!isJson(theirs) || !isJson(ours) || ours['id'] !== SERVER_INSTANCE) return false
  return Object.keys(theirs).every((key) => typeof ours[key] === 'string')
}

function sameFsic(expected: unknown, actual: unknown): boolean {
  if (typeof expected !== 'string' || typeof actual !== 'string') return false
  return isDeepStrictEqual(JSON.parse(actual), JSON.parse(expected))
}

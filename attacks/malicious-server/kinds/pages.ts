import { expect } from 'vitest'
import type { Attempt, Kind, Outcome } from '../attempt.ts'
import { BLANKS, packedText, ZEROS } from '../bombs.ts'
import { pages } from '../forging.ts'
import { altering, instead, json, objectOf, type Tamper, TRANSFER_CALLS } from '../layer.ts'

const MB = 1024 * 1024
const REFUSED: Outcome = {
  fails: ['peer-protocol', 'payload-too-large', 'invalid-buffer', 'transfer-errored', 'peer-error'],
}

/** Several lies at once. */
function both(first: Tamper, second: Tamper): Tamper {
  return (call, honest) => (call.name === 'GET buffers' ? first(call, honest) : second(call, honest))
}

/** A server that tells another total than it has. */
function total(change: (honest: number) => unknown): Tamper {
  return altering(TRANSFER_CALLS, (body) => {
    const { records_total: told, push } = body
    return typeof told === 'number' && push === false ? { ...body, records_total: change(told) } : body
  })
}

const totals: readonly Attempt[] = [
  { name: 'fewer than it announced', outcome: REFUSED, tamper: () => total((count) => count + 1) },
  { name: 'more than it announced', outcome: REFUSED, tamper: () => total((count) => count - 1) },
  { name: 'two thousand million less', outcome: REFUSED, tamper: () => total(() => 2 ** 31 - 1) },
  ...[2 ** 31, -1, 1.5, '6', null, true, 1e308].map((count): Attempt => ({
    name: `of ${JSON.stringify(count)}`,
    outcome: REFUSED,
    tamper: () => total(() => count),
  })),
  {
    name: 'and tells another total each time it is asked: the first counts',
    outcome: 'harmless',
    without: ['JOINED_STAGES'],
    tamper: () => {
      let calls = 0
      return total((count) => count + 2 * calls++)
    },
  },
]

const repeated: readonly Attempt[] = [
  {
    name: 'the same for ever',
    outcome: REFUSED,
    requests: 250,
    tamper: () => {
      let first: unknown
      const same = altering('GET buffers', (body) => (first ??= body))
      return both(
        same,
        total(() => 500),
      )
    },
  },
  { name: 'that are empty', outcome: REFUSED, tamper: () => pages(() => []) },
  {
    name: 'of one record twice',
    outcome: REFUSED,
    tamper: () => pages((records) => records.map(() => records[0])),
  },
  {
    name: 'larger than asked for',
    outcome: REFUSED,
    tamper: () => pages((records) => Array.from({ length: 100 }, () => records[0])),
  },
  {
    name: 'of eleven thousand records',
    outcome: REFUSED,
    bytes: 64 * MB,
    tamper: () =>
      both(
        pages((records) => Array.from({ length: 11_000 }, () => records[0])),
        total(() => 11_000),
      ),
  },
]

const links: readonly Attempt[] = [
  ...['next', 'previous'].map((link): Attempt => ({
    name: `whose ${link} link leads elsewhere`,
    outcome: 'harmless',
    tamper: ({ elsewhere }) =>
      altering('GET buffers', (body) => ({ ...body, [link]: `${elsewhere}buffers/` })),
  })),
  ...['file:///etc/passwd', 'javascript:alert(1)', 5, { a: 1 }, '\u001b[31m'].map((next): Attempt => ({
    name: `whose next link is ${JSON.stringify(next)}`,
    outcome: 'harmless',
    tamper: () => altering('GET buffers', (body) => ({ ...body, next })),
  })),
  {
    name: 'that count what is not there',
    outcome: 'harmless',
    tamper: () => altering('GET buffers', (body) => ({ ...body, count: 2 ** 53, extra: '\u001b[31m' })),
  },
]

const packed = (name: string, body: string | Uint8Array, contentType: string): Attempt => ({
  name: `packed: ${name}`,
  outcome: { fails: ['peer-protocol', 'payload-too-large', 'network', 'invalid-buffer', 'transfer-errored'] },
  requests: 250,
  bytes: 256 * MB,
  tamper: () => instead('GET buffers', { status: 200, headers: { 'content-type': contentType }, body }),
})

const GZIPPED = 'application/vnd.morango.packed+gzip'
const ZSTD = 'application/vnd.morango.packed+zstd'

const packings: readonly Attempt[] = [
  packed('a bomb', BLANKS, GZIPPED),
  packed('a bomb of zeros', ZEROS, GZIPPED),
  packed('nonsense', 'nonsense', GZIPPED),
  packed('nonsense of the other kind', 'nonsense', ZSTD),
  packed('nothing', '', GZIPPED),
  packed('an empty list', packedText('[]'), GZIPPED),
  packed('an object', packedText('{"count": 5}'), GZIPPED),
  packed('lists in lists', packedText('['.repeat(10 * MB)), GZIPPED),
  packed(
    'fifteen million histories',
    packedText(`{"count": 1, "histories": [${'[],'.repeat(15_000_000)}[]]}`),
    GZIPPED,
  ),
  packed('a bomb in a bomb', packedText(BLANKS), GZIPPED),
]

const forms: readonly Attempt[] = [
  { name: 'as a text', outcome: REFUSED, tamper: () => instead('GET buffers', json('records')) },
  { name: 'without records', outcome: REFUSED, tamper: () => instead('GET buffers', json({ count: 6 })) },
  {
    name: 'whose records are an object',
    outcome: REFUSED,
    tamper: () => altering('GET buffers', (body) => ({ ...body, results: { 0: body } })),
  },
  {
    name: 'whose records are numbers',
    outcome: REFUSED,
    tamper: () => pages((records) => records.map(() => 1)),
  },
  {
    name: 'whose records are null',
    outcome: REFUSED,
    tamper: () => pages((records) => records.map(() => null)),
  },
  {
    name: 'as a plain list, which is allowed',
    outcome: 'harmless',
    tamper: () =>
      instead('GET buffers', async (_call, honest) => {
        const answer = await honest()
        return { ...answer, body: JSON.stringify(objectOf(JSON.parse(String(answer.body)))['results']) }
      }),
    after: async ({ world: { client }, fresh }) => {
      for (const id of fresh) expect(await client.row('book', id)).toBeDefined()
    },
  },
  {
    name: 'as HTML that is records',
    outcome: 'harmless',
    tamper: () =>
      instead('GET buffers', async (_call, honest) => ({
        ...(await honest()),
        headers: { 'content-type': 'text/html' },
      })),
  },
]

/** Pages of records. */
export const pageKinds: Kind = {
  kind: 'sends pages',
  wire: true,
  attempts: [...totals, ...repeated, ...links, ...packings, ...forms],
}

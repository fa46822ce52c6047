import { expect } from 'vitest'
import { MAX_CLAIMS, MAX_COUNTER, MAX_COUNTER_JUMP } from '../../../src/core/limits.ts'
import type { Attempt, Kind, Outcome } from '../attempt.ts'
import { altering, type Tamper, TRANSFER_CALLS } from '../layer.ts'
import type { Scene } from '../scene.ts'
import { FILTER, root } from '../world.ts'

const X = 'f'.repeat(32)
const REFUSED: Outcome = {
  fails: ['fsic-malformed', 'fsic-outside-filter', 'fsic-too-large', 'peer-protocol', 'transfer-errored'],
}
const V1 = ['FSIC_V2_FORMAT'] as const

/** A server that claims something else than it has, in every answer that says so. */
function claiming(fsic: unknown): Tamper {
  return altering(TRANSFER_CALLS, (body) => ({ ...body, server_fsic: fsic }))
}

const sub = (claims: object): string => JSON.stringify({ super: {}, sub: claims })

async function nothingOfX({ world: { client } }: Scene): Promise<void> {
  expect(await client.morango.claims.list({ instance: X })).toEqual([])
}

const all = { [X]: 5 }
const rootId = root.certificate.id
const outside: readonly (readonly [string, string])[] = [
  ['the whole dataset', sub({ [rootId]: all })],
  ['everything', sub({ '': all })],
  ['the partition above', sub({ [`${rootId}:`]: all })],
  ['a prefix that begins alike', sub({ [`${rootId}:u`]: all })],
  ['other letters', sub({ [`${rootId}:U1`]: all })],
  ['another dataset', sub({ ['9'.repeat(32)]: all })],
  ['another partition beside its own', sub({ [FILTER]: { [X]: 1 }, [`${rootId}:u2`]: all })],
  ['a prototype', `{"super": {}, "sub": {"${FILTER}": {}, "__proto__": {"${X}": 5}}}`],
  ['two lists of claims', `{"sub": {"${FILTER}": {}}, "sub": {"${rootId}": {"${X}": 5}}}`],
]

const counters = [
  '2147483648',
  '1e3',
  '5.0',
  '"5"',
  '-1',
  '9007199254740993',
  'true',
  'null',
  '[5]',
  '9'.repeat(400),
]

const malformed: readonly (readonly [string, unknown])[] = [
  ...counters.map(
    (counter) =>
      [
        `counter ${counter.slice(0, 20)}`,
        `{"super": {}, "sub": {"${FILTER}": {"${X}": ${counter}}}}`,
      ] as const,
  ),
  ['a partition that is too long', sub({ [`${FILTER}:${'x'.repeat(128)}`]: all })],
  ['a NUL in a partition', sub({ [`${FILTER}\0`]: all })],
  ['half a surrogate pair', `{"super": {}, "sub": {"${FILTER}\\ud800": {"${X}": 1}}}`],
  ['an instance that is none', sub({ [FILTER]: { x: 1 } })],
  ['another shape', `{"sub": {}, "supersub": {"${rootId}": {"${X}": 1}}}`],
  ['no list of claims', '{"sub": 5, "super": 5}'],
  ['a list', '[]'],
  ['a text', '"x"'],
  ['nonsense', '{"sub": '],
  ['a nesting', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
  [
    'too many claims',
    sub({
      [FILTER]: Object.fromEntries(
        Array.from({ length: MAX_CLAIMS + 1 }, (_, i) => [i.toString(16).padStart(32, '0'), 1]),
      ),
    }),
  ],
  ['a number', 5],
  ['an object', { sub: {}, super: {} }],
]

const refusals: readonly Attempt[] = [...outside, ...malformed].map(([what, fsic]) => ({
  name: `of ${what}`,
  outcome: REFUSED,
  tamper: () => claiming(fsic),
  after: nothingOfX,
  bytes: 64 * 1024 * 1024,
}))

const refusalsOfV1: readonly Attempt[] = [
  ...counters.map((counter) => [`counter ${counter.slice(0, 20)}`, `{"${X}": ${counter}}`] as const),
  ['an instance that is none', '{"x": 1}'] as const,
  ['a prototype', '{"__proto__": 5}'] as const,
  ['the other format', sub({ [rootId]: all })] as const,
].map(([what, fsic]) => ({
  name: `of ${what}, in format v1`,
  outcome: REFUSED,
  without: V1,
  tamper: () => claiming(fsic),
  after: nothingOfX,
}))

const believed: readonly Attempt[] = [
  ...[{}, { without: V1 }].map((how): Attempt => ({
    ...how,
    requests: 500,
    name: `far beyond what is known of an instance${'without' in how ? ', in format v1' : ''}`,
    outcome: 'harmless',
    tamper: () =>
      claiming(
        'without' in how
          ? JSON.stringify({ [X]: MAX_COUNTER_JUMP + 1 })
          : sub({ [FILTER]: { [X]: MAX_COUNTER_JUMP + 1 } }),
      ),
    after: nothingOfX,
  })),
  {
    requests: 500,
    name: 'of all above the filter is learned of the filter alone',
    outcome: 'harmless',
    tamper: () =>
      claiming(JSON.stringify({ sub: {}, super: { '': { [X]: 7 }, [`${rootId}:u2`]: { [X]: 9 } } })),
    after: async ({ world: { client } }) => {
      const claims = await client.morango.claims.list({ instance: X })
      expect(claims.map(({ partition }) => partition)).toEqual([FILTER])
    },
    remedy: forgetServer,
  },
  {
    requests: 500,
    name: 'of what an honest one has is taken back with the server’s certificate',
    outcome: 'harmless',
    tamper: async ({ world: { honest } }) => {
      await honest.insert('book', { root: rootId, owner: 'u1', title: 'withheld' })
      await honest.morango.serialize()
      const { id, counter } = (await honest.morango.status()).instance
      return claiming(sub({ [FILTER]: { [id]: counter } }))
    },
    after: async (scene) => {
      // The lie is there, with the name of who told it.
      const { id } = (await scene.world.honest.morango.status()).instance
      const { id: liar } = await scene.world.serverCertificate()
      const claims = await scene.world.client.morango.claims.list({ instance: id, partition: FILTER })
      expect(claims.map(({ certificate }) => certificate)).toContain(liar)
    },
    remedy: forgetServer,
  },
]

async function forgetServer({ world }: Scene): Promise<void> {
  await world.client.morango.claims.forget({ certificate: (await world.serverCertificate()).id })
}

const aboutTheClient: readonly Attempt[] = [MAX_COUNTER_JUMP + 100, MAX_COUNTER].map((ahead) => ({
  requests: 500,
  name: `about the client, ${ahead} beyond what it has stamped`,
  outcome: 'harmless',
  tamper: async ({ world: { client } }) => {
    const { id, counter } = (await client.morango.status()).instance
    return claiming(sub({ [FILTER]: { [id]: Math.min(counter + ahead, MAX_COUNTER) } }))
  },
  after: async ({ world: { client } }) => {
    const { id, counter } = (await client.morango.status()).instance
    const claims = await client.morango.claims.list({ instance: id })
    for (const claim of claims) expect(claim.counter).toBeLessThanOrEqual(counter)
    expect((await client.database.kysely.selectFrom('morango_instance').selectAll().execute()).length).toBe(1)
  },
}))

/** Claims of a server. */
export const claims: Kind = {
  kind: 'claims to have all',
  attempts: [...refusals, ...refusalsOfV1, ...believed, ...aboutTheClient],
}

const DAY_MS = 24 * 60 * 60 * 1000

async function instances({ world: { client } }: Scene): Promise<number> {
  return (await client.database.kysely.selectFrom('morango_instance').selectAll().execute()).length
}

function slightlyAhead({ world: { client } }: Scene): Tamper {
  return altering(TRANSFER_CALLS, async (body) => {
    const { id, counter } = (await client.morango.status()).instance
    return { ...body, server_fsic: sub({ [FILTER]: { [id]: counter + 5 } }) }
  })
}

/** What makes a client take another identity. */
export const renewals: Kind = {
  kind: 'knows the client better than it does itself',
  strangers: true,
  attempts: [
    {
      name: 'again and again: one renewal a day, then each fails by itself',
      outcome: { fails: ['renewal-needed'] },
      requests: 150,
      renews: true,
      resyncs: 2,
      tamper: slightlyAhead,
      run: async (peer, scene) => {
        const { client, server } = scene.world
        const again = async (): Promise<unknown> => {
          await server.insert('book', { root: rootId, owner: 'u1', title: 'one more' })
          return await client.morango.sync(peer, { filter: FILTER, direction: 'pull' })
        }
        await again()
        expect(await instances(scene)).toBe(2)
        for (let time = 0; time < 4; time++) await again().catch(() => undefined)
        expect(await instances(scene)).toBe(2)
        await again()
      },
      remedy: async ({ world: { time } }) => time.advance(DAY_MS),
    },
  ],
}

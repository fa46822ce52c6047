import { isMorangoError } from '../../core/errors.ts'
import { MAX_CLAIMS, MAX_COUNTER, MAX_COUNTER_JUMP } from '../../core/limits.ts'
import { type Behaviour, failure, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import { add, suiteNetwork } from './fixtures.ts'
import {
  answering,
  claiming as says,
  claimsOf,
  forging,
  instanceOf,
  serverClaiming,
  sub,
  withEntry,
} from './hostile.ts'

const NARROW = { scope: 'owner', params: { owner: 'u1' } } as const
const X = 'a'.repeat(32)
const V1 = { withoutCapabilities: ['FSIC_V2_FORMAT'] } as const

/** A server a, honest peers, and m, who may have the records of u1 and no others. */
async function withNarrow(
  make: MakeNetwork,
  options: { readonly withoutCapabilities?: readonly string[] } = {},
): Promise<TestNetwork> {
  return await suiteNetwork(make, { peers: { a: {}, c: {}, m: { scope: NARROW } }, ...options })
}

/** FSICs that claim X under another filter than `${root}:u1`, as a client of that may try. */
function outside(root: string): readonly string[] {
  const claims = { [X]: MAX_COUNTER }
  const other = root.replace(/^./u, (digit) => (digit === '0' ? '1' : '0'))
  return [
    sub({ [root]: claims }),
    sub({ '': claims }),
    sub({ [`${root}:`]: claims }),
    sub({ [`${root}:u`]: claims }),
    sub({ [`${root}:U1`]: claims }),
    sub({ [other]: claims }),
    sub({ [`${root}:u1`]: { [X]: 1 }, [`${root}:u2`]: claims }),
    `{"super": {}, "sub": {"${root}:u1": {}, "__proto__": {"${X}": 5}}}`,
    `{"sub": {"${root}:u1": {}}, "sub": {"${root}": {"${X}": 5}}}`,
  ]
}

/** FSICs that no peer may send. */
function malformed(root: string): readonly string[] {
  const claim = (counter: string): string => `{"sub": {"${root}:u1": {"${X}": ${counter}}}}`
  return [
    ...['2147483648', '1e3', '5.0', '"5"', '-1', '-0', '9007199254740993', 'NaN', 'true', 'null'].map(claim),
    sub({ [`${root}:u1:${'x'.repeat(128)}`]: { [X]: 1 } }),
    `{"sub": {"${root}:u1\\u0000": {"${X}": 1}}}`,
    `{"sub": {"${root}:u1\\ud800": {"${X}": 1}}}`,
    `{"sub": {"${root}:u1": {"x": 1}}}`,
    `{"sub": {}, "supersub": {"${root}": {"${X}": 1}}}`,
  ]
}

/** What a peer may claim, what is learned of it, and how that is taken back (protocol §6, §11). */
export const claiming: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'learns nothing outside the filter from a client, whatever it claims',
    async run(make) {
      const network = await withNarrow(make)
      const filter = `${network.root}:u1`
      for (const fsic of [...outside(network.root), ...malformed(network.root)]) {
        await add(network, 'm', 'book')
        const before = await claimsOf(network.peer('a'))
        const error = await failure(
          network.sync('m', 'a', { filter, direction: 'push', through: says(fsic) }),
          `a push that claims ${fsic}`,
        )
        holds(isMorangoError(error), `an error with a code for ${fsic}: ${String(error)}`)
        same([...(await claimsOf(network.peer('a')))], [...before], `claims after ${fsic}`)
      }
      await network.sync('m', 'a', { filter })
      same(
        (await network.peer('a').rows('book')).length,
        (await network.peer('m').rows('book')).length,
        'books',
      )
    },
  },
  {
    name: 'learns nothing outside the filter from a server, whatever it claims',
    async run(make) {
      const network = await withNarrow(make)
      const filter = `${network.root}:u1`
      await add(network, 'a', 'book')
      await network.sync('m', 'a', { filter })
      for (const fsic of [...outside(network.root), ...malformed(network.root)]) {
        await add(network, 'a', 'book')
        const before = await claimsOf(network.peer('m'))
        const error = await failure(
          network.sync('m', 'a', { filter, direction: 'pull', through: serverClaiming(fsic) }),
          `a pull from who claims ${fsic}`,
        )
        holds(isMorangoError(error), `an error with a code for ${fsic}: ${String(error)}`)
        same([...(await claimsOf(network.peer('m')))], [...before], `claims after ${fsic}`)
      }
    },
  },
  {
    name: 'refuses more claims than a peer can have',
    async run(make) {
      const network = await withNarrow(make)
      const filter = `${network.root}:u1`
      await add(network, 'm', 'book')
      const instances = Array.from({ length: MAX_CLAIMS + 1 }, (_, index): [string, number] => [
        index.toString(16).padStart(32, '0'),
        1,
      ])
      const through = says(sub({ [filter]: Object.fromEntries(instances) }))
      await failure(network.sync('m', 'a', { filter, direction: 'push', through }), 'too many claims')
      same((await claimsOf(network.peer('a'))).size, 0, 'claims')
    },
  },
  {
    name: 'keeps what is claimed of all to the filter, in either format',
    async run(make) {
      for (const options of [{}, V1]) {
        const network = await withNarrow(make, options)
        const filter = `${network.root}:u1`
        const fsic =
          'withoutCapabilities' in options
            ? JSON.stringify({ [X]: 7 })
            : JSON.stringify({ sub: {}, super: { '': { [X]: 7 }, [`${network.root}:u2`]: { [X]: 9 } } })
        await add(network, 'm', 'book')
        await network.sync('m', 'a', { filter, direction: 'push', through: says(fsic) })
        const learned = [...(await claimsOf(network.peer('a')))].filter(([key]) => key.endsWith(X))
        same(learned, [[`${filter} ${X}`, 7]], 'what is learned')
      }
    },
  },
  {
    name: 'does not take over what a puller claims',
    async run(make) {
      for (const options of [{}, V1]) {
        const network = await withNarrow(make, options)
        const filter = `${network.root}:u1`
        await add(network, 'a', 'book')
        const fsic =
          'withoutCapabilities' in options ? JSON.stringify({ [X]: 7 }) : sub({ [filter]: { [X]: 7 } })
        await network.sync('m', 'a', { filter, direction: 'pull', through: says(fsic) })
        const learned = [...(await claimsOf(network.peer('a')))].filter(([key]) => key.endsWith(X))
        same(learned, [], 'what is learned')
      }
    },
  },
  {
    name: 'learns nothing from a transfer without records',
    async run(make) {
      const network = await withNarrow(make)
      const filter = `${network.root}:u1`
      await network.sync('m', 'a', {
        filter,
        direction: 'push',
        through: says(sub({ [filter]: { [X]: 7 } })),
      })
      same(
        [...(await claimsOf(network.peer('a'))).keys()].filter((key) => key.endsWith(X)),
        [],
        'claims',
      )
    },
  },
  {
    name: 'refuses a server that answers for another filter',
    async run(make) {
      const network = await withNarrow(make)
      const filter = `${network.root}:u1`
      await add(network, 'a', 'book')
      const { root } = network
      for (const other of [root, `${root}:u`, `${root}:u1:note`, `${root}:u1\n${root}:u2`, '', 'x']) {
        const through = answering(() => ({ filter: other }))
        const error = await failure(network.sync('m', 'a', { filter, direction: 'pull', through }), other)
        holds(isMorangoError(error, 'peer-protocol'), `the code for "${other}": ${String(error)}`)
      }
      const through = answering(() => ({ filter: `${filter}\n${filter}:note` }))
      same(
        (await network.sync('m', 'a', { filter, direction: 'pull', through })).pulled,
        1,
        'the same, said twice',
      )
    },
  },
  {
    name: 'does not learn a counter far beyond what is known, unless a record bears it',
    async run(make) {
      const network = await withNarrow(make)
      const filter = `${network.root}:u1`
      const push = { filter, direction: 'push' } as const
      const learned = async (): Promise<number | undefined> =>
        (await claimsOf(network.peer('a'))).get(`${filter} ${X}`)
      await add(network, 'm', 'book')
      await network.sync('m', 'a', { ...push, through: says(sub({ [filter]: { [X]: MAX_COUNTER } })) })
      same(await learned(), undefined, 'far beyond nothing')
      await add(network, 'm', 'book')
      await network.sync('m', 'a', { ...push, through: says(sub({ [filter]: { [X]: 40 } })) })
      await add(network, 'm', 'book')
      const far = 41 + MAX_COUNTER_JUMP
      await network.sync('m', 'a', { ...push, through: says(sub({ [filter]: { [X]: far } })) })
      same(await learned(), 40, 'one too far beyond 40')
      await add(network, 'm', 'book')
      const lie = says(sub({ [filter]: { [X]: far } }))
      const bearing = forging((record) => ({
        ...withEntry(record, X, far),
        last_saved_instance: X,
        last_saved_counter: far,
      }))
      await network.sync('m', 'a', { ...push, through: (peer) => lie(bearing(peer)) })
      same(await learned(), far, 'with a record that bears it')
    },
  },
  {
    name: 'says who taught what, and when that is forgotten asks honest peers again',
    async run(make) {
      const network = await withNarrow(make)
      const { root } = network
      const filter = `${root}:u1`
      const victim = network.peer('a')
      const honest = await instanceOf(network.peer('c'))
      await add(network, 'c', 'book')
      await network.sync('a', 'c')
      await add(network, 'm', 'book')
      await add(network, 'c', 'book', { title: 'withheld' })
      await network.peer('c').morango.serialize()
      const { counter } = (await network.peer('c').morango.status()).instance
      const lie = says(sub({ [filter]: { [honest]: counter } }))
      await network.sync('m', 'a', { filter, direction: 'push', through: lie })
      same((await network.sync('a', 'c', { direction: 'pull' })).pulled, 0, 'what the poisoned one asks for')
      const [taught, ...others] = await victim.morango.claims.list({ instance: honest, partition: filter })
      same(others, [], 'other claims')
      holds(taught?.certificate !== undefined, 'it is said who taught it')
      same([taught.partition, taught.counter, taught.effective], [filter, counter, true], 'the claim')
      const forgotten = await victim.morango.claims.forget({ certificate: taught.certificate })
      holds(forgotten.claims > 0, 'something was forgotten')
      same(
        await victim.morango.claims.list({ instance: honest, partition: filter }),
        [],
        'what is left of it',
      )
      same((await network.sync('a', 'c', { direction: 'pull' })).pulled, 1, 'what is asked for now')
      same((await victim.rows('book')).length, 3, 'books')
    },
  },
  {
    name: 'falls back to what others taught when a teacher is forgotten, and forgets those below a certificate',
    async run(make) {
      const network = await suiteNetwork(make, {
        peers: { a: {}, m: { scope: NARROW }, n: { scope: { scope: 'all' } } },
      })
      const filter = `${network.root}:u1`
      const victim = network.peer('a')
      for (const [peer, counter] of [
        ['n', 5],
        ['m', 9],
      ] as const) {
        await add(network, peer, 'book')
        const through = says(sub({ [filter]: { [X]: counter } }))
        await network.sync(peer, 'a', { filter, direction: 'push', through })
      }
      const counter = async (): Promise<number | undefined> => (await claimsOf(victim)).get(`${filter} ${X}`)
      const claims = await victim.morango.claims.list({ instance: X })
      same(
        claims.map((claim) => [claim.counter, claim.effective]),
        [
          [9, true],
          [5, false],
        ],
        'both teachers',
      )
      await victim.morango.claims.forget({ certificate: claims[0]?.certificate ?? '' })
      same(await counter(), 5, 'the counter that is left')
      await victim.morango.claims.forget({ certificate: network.root })
      same(await counter(), undefined, 'the counter after the root, and so all below it, is forgotten')
      await failure(victim.morango.claims.forget({ certificate: '' }), 'no certificate')
      const own = await victim.morango.claims.list({ instance: await instanceOf(victim) })
      await victim.morango.serialize()
      holds(
        own.every(({ certificate }) => certificate === undefined),
        'its own claims have no teacher',
      )
    },
  },
]

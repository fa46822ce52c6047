import type { AttackerName } from './attacker.ts'
import { type Attempt, describeAttempts, type Outcome } from './attempts.ts'
import { hex, letters } from './attacker.ts'
import type { World } from './world.ts'

const MAX = 2 ** 31 - 1

/** A pull under a filter. */
function pulls(
  as: AttackerName,
  what: string,
  filter: (world: World) => unknown,
  outcome: Outcome = 'refused',
): Attempt {
  return { name: `pulls ${what}`, as, run: (a, world) => a.pull({ filter: filter(world) }), outcome }
}

/** A push of one sample under a filter. */
function pushes(as: AttackerName, what: string, filter: (world: World) => unknown): Attempt {
  return {
    name: `pushes ${what}`,
    as,
    run: (a, world) => a.push({ filter: filter(world), records: [{}], fsic: '{}' }),
    outcome: 'refused',
  }
}

/** Filters that are not within `:shared:sample`, by what they are. */
const OUTSIDE: readonly (readonly [what: string, filter: (world: World) => unknown])[] = [
  ['everything', () => ''],
  ['a space', () => ' '],
  ['a line feed', () => '\n'],
  ['a no-break space', () => '\u00a0'],
  ['the whole dataset', ({ root }) => root],
  ['its parent', ({ root }) => `${root}:shared`],
  ['a sibling', ({ root }) => `${root}:user`],
  ['a user', ({ root, bob }) => `${root}:user:${bob}`],
  ['another dataset', ({ other }) => other],
  ['the same of another dataset', ({ other }) => `${other}:shared:sample`],
  ['a prefix without its last letter', ({ root }) => `${root}:shared:sampl`],
  ['a prefix that ends in a colon', ({ root }) => `${root}:shared:`],
  ['the beginning of a dataset', ({ root }) => root.slice(0, 8)],
  ['%', () => '%'],
  ['_', () => '_'],
  ['a pattern', ({ root }) => `${root}:shared:sampl_`],
  ['a pattern of all', ({ root }) => `${root}%`],
  ['a star', () => '*'],
  ['a quote', () => "' or ''='"],
  ['two quotes', ({ root }) => `${root}' or '1'='1`],
  ['a statement', ({ root }) => `${root}'; drop table sample; --`],
  ['capitals', ({ root }) => `${root.toUpperCase()}:SHARED`],
  ['NUL', ({ root }) => `${root}\0:shared:sample`],
  ['NUL at its end', ({ root }) => `${root}:shared:sample\0`],
  ['a lone surrogate', ({ root }) => `${root}:shared:sample\ud800`],
  ['what it may, and more', ({ root, bob }) => `${root}:shared:sample\n${root}:user:${bob}`],
  ['what it may, and more after a carriage return', ({ root }) => `${root}:shared:sample\r${root}`],
  ['what it may, and more after a separator', ({ root }) => `${root}:shared:sample\u001c${root}`],
  ['what it may, and more after an em space', ({ root }) => `${root}:shared:sample\u2003${root}`],
  ['what a placeholder might become', () => '${dataset_id}:shared'],
  ['nothing', ({ root }) => `${root}:shared:sample:(nothing)`],
  ['what is below nothing', ({ root }) => `${root}:(nothing):x`],
  [
    '5,000 prefixes',
    ({ root }) => Array.from({ length: 5000 }, (_, n) => `${root}:shared:sample:${n}`).join('\n'),
  ],
  [
    '201 prefixes',
    ({ root }) => Array.from({ length: 201 }, (_, n) => `${root}:shared:sample:${n}`).join('\n'),
  ],
  ['a prefix of 15,000 characters', ({ root }) => `${root}:shared:sample:${'x'.repeat(15_000)}`],
  ['a prefix of 129 characters', ({ root }) => `${root}:shared:sample:`.padEnd(129, 'x')],
  ['a list', ({ root }) => [`${root}:shared:sample`]],
  ['an object', () => ({ toString: 'x' })],
  ['a number', () => 0],
  ['null', () => null],
]

const outside: readonly Attempt[] = [
  ...OUTSIDE.map(([what, filter]) => pulls('sampler', what, filter)),
  ...OUTSIDE.map(([what, filter]) => pushes('sampler', what, filter)),
  pulls('reader', 'what it may', ({ root }) => `${root}:shared`, 'harmless'),
  pulls('reader', 'a user', ({ root, ann }) => `${root}:user:${ann}`),
  pulls('reader', 'the prefix by which writing is denied', ({ root }) => `${root}:shared:(nothing)`),
  pulls('writer', 'what it may write', ({ root }) => `${root}:shared:sample`),
  pulls('writer', 'the prefix by which reading is denied', ({ root }) => `${root}:shared:sample:(nothing)`),
  pulls('ann', 'the other user', ({ root, bob }) => `${root}:user:${bob}`),
  pulls('ann', 'all users', ({ root }) => `${root}:user:`),
  pulls('ann', 'users by the beginning of an id', ({ root, ann }) => `${root}:user:${ann.slice(0, -1)}`),
  pulls('ann', 'what she may', ({ root, ann }) => `${root}:user:${ann}\n${root}:shared`, 'harmless'),
  pulls('bee', 'this dataset', ({ root }) => root),
  pulls('bee', 'both datasets', ({ root, other }) => `${other}\n${root}`),
  pushes('reader', 'what it may read', ({ root }) => `${root}:shared`),
  pushes('reader', 'a part of it', ({ root }) => `${root}:shared:sample`),
  pushes('reader', 'the prefix by which writing is denied', ({ root }) => `${root}:shared:(nothing)`),
  pushes('ann', 'what is shared', ({ root }) => `${root}:shared`),
  pushes('ann', 'the other user', ({ root, bob }) => `${root}:user:${bob}`),
  pushes('bee', 'this dataset', ({ root }) => root),
]

const foreign: readonly Attempt[] = [
  {
    name: 'asks for a transfer of a session that is not there',
    as: 'sampler',
    run: (a, { root }) => a.transfer({ filter: `${root}:shared:sample`, session: letters('b') }),
    outcome: 'refused',
  },
  ...(['', '%', "' or 1=1 --", '__proto__'] as const).map(
    (session) =>
      ({
        name: `asks for a transfer of the session "${session}"`,
        as: 'sampler' as const,
        run: (a, { root }) => a.transfer({ filter: `${root}:shared:sample`, session }),
        outcome: 'refused' as const,
      }) satisfies Attempt,
  ),
  ...(['PATCH', 'DELETE', 'GET', 'PUT', 'POST'] as const).flatMap((method) =>
    [letters('c'), '%25', '_', '*', '%00', '..%2f..'].map((id): Attempt => ({
      name: `${method} of the transfer ${id.slice(0, 8)}`,
      as: 'nobody',
      run: (a) =>
        a.send({
          method,
          path: `transfersessions/${id}/`,
          ...(method === 'PATCH' && { body: { transfer_stage: 'deserializing' } }),
        }),
      outcome: 'refused',
    })),
  ),
  {
    name: 'widens the filter of a transfer afterwards',
    as: 'sampler',
    run: async (a, { root }) => {
      const { id } = await a.transfer({ filter: `${root}:shared:sample` })
      await a.patch(id, { filter: root, push: true, sync_session_id: letters('a'), active: true })
      const page = await a.page(id)
      return [page, await a.end(id)]
    },
    outcome: 'harmless',
  },
  {
    name: 'asks for a wider transfer under the id of one that is there',
    as: 'sampler',
    run: async (a, { root }) => {
      const { id } = await a.transfer({ filter: `${root}:shared:sample` })
      const again = await a.transfer({ filter: root, id })
      await a.end(id)
      return again
    },
    outcome: 'refused',
  },
  {
    name: 'takes the id of a transfer of another session',
    as: 'sampler',
    run: async (a, { root }) => {
      const { id } = await a.transfer({ filter: `${root}:shared:sample` })
      const { id: session } = await a.open()
      const again = await a.transfer({ filter: `${root}:shared:sample`, id, session })
      await a.end(id)
      return again
    },
    outcome: 'refused',
  },
  {
    name: 'pushes records of one transfer by another',
    as: 'sampler',
    run: async (a, { root }) => {
      const filter = `${root}:shared:sample`
      const { id } = await a.transfer({ filter, push: true })
      await a.patch(id, { records_total: 1 })
      const { id: session } = await a.open()
      const second = await a.transfer({ filter, push: true, session })
      await a.patch(second.id, { records_total: 1 })
      return await a.sendChunk(id, [{ ...a.record({ transfer_session: second.id }), rmcb_list: [] }])
    },
    // Both are its own, and what the records name is checked as if the query had named it.
    outcome: 'harmless',
  },
  {
    name: 'reads the buffers of its own push',
    as: 'sampler',
    run: async (a, { root }) => {
      const { id } = await a.transfer({ filter: `${root}:shared:sample`, push: true })
      return await a.page(id)
    },
    outcome: 'refused',
  },
  {
    name: 'pushes into its own pull',
    as: 'sampler',
    run: async (a, { root }) => {
      const { id } = await a.transfer({ filter: `${root}:shared:sample` })
      const sent = await a.sendChunk(id, [{ ...a.record({ transfer_session: id }), rmcb_list: [] }])
      await a.end(id)
      return sent
    },
    outcome: 'refused',
  },
  {
    name: 'reads with a certificate that may only read after its session was closed',
    as: 'reader',
    run: async (a, { root }) => {
      const { id: session } = await a.open()
      const { id } = await a.transfer({ filter: `${root}:shared`, session })
      await a.send({ method: 'DELETE', path: `syncsessions/${session}/` })
      return await a.page(id)
    },
    outcome: 'refused',
  },
]

type Claims = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** A push that claims what it has no right to. */
function claims(
  what: string,
  claim: (world: World) => unknown,
  outcome: Outcome = 'refused',
  more: { readonly capabilities?: string; readonly as?: AttackerName } = {},
): Attempt {
  return {
    name: `claims ${what}`,
    as: more.as ?? 'sampler',
    run: (a, world) =>
      a.push({ filter: `${world.root}:shared:sample`, records: [{}], fsic: claim(world), ...more }),
    outcome,
  }
}

const sub = (claim: Claims): object => ({ super: {}, sub: claim })
const X = hex()

const claimed: readonly Attempt[] = [
  claims('everything of X in the dataset', ({ root }) => sub({ [root]: { [X]: MAX } })),
  claims('everything of X in the parent', ({ root }) => sub({ [`${root}:shared`]: { [X]: 5 } })),
  claims('everything of X anywhere', () => sub({ '': { [X]: 5 } })),
  claims('everything of X in another dataset', ({ other }) => sub({ [other]: { [X]: 5 } })),
  claims('everything of X at a user', ({ root, bob }) => sub({ [`${root}:user:${bob}`]: { [X]: 5 } })),
  claims('a prefix that is a part of a name', ({ root }) => sub({ [`${root}:shared:sampl`]: { [X]: 5 } })),
  claims('a partition with NUL', ({ root }) => sub({ [`${root}:shared:sample\0`]: { [X]: 5 } })),
  claims('a partition of 10,000 characters', ({ root }) =>
    sub({ [`${root}:shared:sample:${'x'.repeat(10_000)}`]: { [X]: 5 } }),
  ),
  claims('the whole by super', ({ root }) => ({ super: { [root]: { [X]: 5 } }, sub: {} }), 'harmless'),
  claims('everything anywhere by super', () => ({ super: { '': { [X]: 5 } }, sub: {} }), 'harmless'),
  claims(
    'another dataset by super',
    ({ other }) => ({ super: { [other]: { [X]: 5 } }, sub: {} }),
    [201, 204, 400],
  ),
  claims('a counter beyond 2^31', ({ root }) => sub({ [`${root}:shared:sample`]: { [X]: 2 ** 31 } })),
  claims('a counter beyond 2^53', ({ root }) => sub({ [`${root}:shared:sample`]: { [X]: 2 ** 60 } })),
  claims('a negative counter', ({ root }) => sub({ [`${root}:shared:sample`]: { [X]: -1 } })),
  claims('a counter with a fraction', ({ root }) => sub({ [`${root}:shared:sample`]: { [X]: 1.5 } })),
  claims('a counter that is a text', ({ root }) => sub({ [`${root}:shared:sample`]: { [X]: '5' } })),
  claims(
    'a counter that is no number',
    ({ root }) => `{"super": {}, "sub": {"${root}:shared:sample": {"${X}": NaN}}}`,
  ),
  claims(
    'a counter of a thousand digits',
    ({ root }) => `{"super": {}, "sub": {"${root}:shared:sample": {"${X}": ${'9'.repeat(1000)}}}}`,
  ),
  claims('the highest counter', ({ root }) => sub({ [`${root}:shared:sample`]: { [X]: MAX } }), 'harmless'),
  claims(
    'something of an instance that is none',
    ({ root }) => sub({ [`${root}:shared:sample`]: { x: 5 } }),
    [204, 400],
  ),
  claims(
    'something of a prototype',
    ({ root }) => `{"super": {}, "sub": {"${root}:shared:sample": {"__proto__": {"x": 5}}}}`,
    [204, 400],
  ),
  claims(
    'a partition that is a prototype',
    () => '{"super": {}, "sub": {"__proto__": {"x": 5}}}',
    [204, 400],
  ),
  claims('no JSON', () => 'x'),
  claims('a list', () => '[]', [204, 400]),
  claims('a text', () => '"x"'),
  claims('null', () => 'null', [204, 400]),
  claims('nesting', () => '{"sub":'.repeat(50_000)),
  claims('100,001 instances', ({ root }) =>
    sub({
      [`${root}:shared:sample`]: Object.fromEntries(
        Array.from({ length: 100_001 }, (_, n) => [String(n).padStart(32, '0'), 1]),
      ),
    }),
  ),
  claims('20 MB', ({ root }) => ({
    super: {},
    sub: { [`${root}:shared:sample`]: { ['x'.repeat(20 << 20)]: 1 } },
  })),
  ...(
    [
      ['of X in the filter', () => ({ [X]: 7 }), 'harmless'],
      ['of X beyond 2^31', () => ({ [X]: 2 ** 31 }), 'refused'],
      ['of X at the highest counter', () => ({ [X]: MAX }), 'harmless'],
      ['of X below zero', () => ({ [X]: -1 }), 'refused'],
      ['in a list', () => [[X, 5]], [204, 400]],
      ['of a prototype', () => '{"__proto__": {"x": 5}}', [204, 400]],
    ] as const
  ).map(([what, claim, outcome]) =>
    claims(`${what}, in the first format`, claim, outcome, { capabilities: 'NONE' }),
  ),
  {
    name: 'mends its claim to the whole when it tells how many records come',
    as: 'sampler',
    run: async (a, { root }) => {
      const { id } = await a.transfer({ filter: `${root}:shared:sample`, push: true })
      return await a.patch(id, { records_total: 0, client_fsic: JSON.stringify(sub({ [root]: { [X]: 5 } })) })
    },
    outcome: 'refused',
  },
  {
    name: 'claims in one format, and has it read in the other',
    as: 'sampler',
    run: async (a, { root }) => {
      const fsic = JSON.stringify({ sub: 5, super: 5, [X]: 5 })
      const { id } = await a.transfer({
        filter: `${root}:shared:sample`,
        push: true,
        fsic,
        capabilities: 'NONE',
      })
      await a.patch(id, { records_total: 0 })
      return await a.end(id)
    },
    outcome: [204, 400, 404],
  },
  {
    name: 'claims the highest counter of the server itself',
    as: 'sampler',
    run: async (a, { root, morango }) => {
      const { id } = (await morango.status()).instance
      const filter = `${root}:shared:sample`
      return await a.push({ filter, records: [{}], fsic: sub({ [filter]: { [id]: MAX } }) })
    },
    outcome: 'harmless',
  },
  ...([5, MAX] as const).map((beyond): Attempt => ({
    name: `pulls with a claim of ${beyond === MAX ? 'the highest counter' : 'a few more'} of the server itself`,
    as: 'reader',
    run: async (a, { root, morango }) => {
      const { id, counter } = (await morango.status()).instance
      const fsic = sub({ [`${root}:shared`]: { [id]: Math.min(MAX, counter + beyond) } })
      return await a.pull({ filter: `${root}:shared`, fsic })
    },
    outcome: 'harmless',
  })),
  {
    name: 'pulls with a claim of another dataset',
    as: 'reader',
    run: (a, { root, other }) => a.pull({ filter: `${root}:shared`, fsic: sub({ [other]: { [X]: 5 } }) }),
    outcome: 'failed',
  },
]

const renewing: readonly Attempt[] = [
  {
    // It might be true: of a backup that was put back. So it is believed, but once a day.
    name: 'claims a few more of the server itself, which takes another name',
    as: 'sampler',
    run: async (a, { root, morango }) => {
      const { id, counter } = (await morango.status()).instance
      const filter = `${root}:shared:sample`
      return await a.push({ filter, records: [{}], fsic: sub({ [filter]: { [id]: counter + 5 } }) })
    },
    outcome: 'harmless',
    allows: (difference) => /^(instance|meta|counters): /u.test(difference),
  },
  {
    name: 'claims a few more of the server itself again, which does not',
    as: 'sampler',
    run: async (a, { root, morango }) => {
      const { id, counter } = (await morango.status()).instance
      const filter = `${root}:shared:sample`
      return await a.push({ filter, records: [{}], fsic: sub({ [filter]: { [id]: counter + 5 } }) })
    },
    outcome: 'failed',
  },
]

describeAttempts('filters and claims', {
  'filters outside the scope': outside,
  'transfers of others': foreign,
  'claims outside the filter': claimed,
  'claims that may be true': renewing,
})

import { expect } from 'vitest'
import type { Attempt, Kind, Outcome } from '../attempt.ts'
import { forging, forgingFresh, having, labelled, partitionOf, saying, type WireRecord } from '../forging.ts'
import type { Scene } from '../scene.ts'
import { root } from '../world.ts'

const REFUSED: Outcome = { fails: ['invalid-buffer', 'transfer-errored', 'peer-protocol'] }
const ELSEWHERE: Outcome = { waits: 'content-elsewhere' }
const HEX = 'ab'.repeat(16)

function forged(name: string, outcome: Outcome, alter: (record: WireRecord) => WireRecord): Attempt {
  return { name, outcome, tamper: forgingFresh(alter) }
}

function without(record: WireRecord, member: string): WireRecord {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== member))
}

/** Whatever was tried, nothing is to be seen of it in the table. */
async function notWritten({ world: { client }, fresh }: Scene): Promise<void> {
  expect(await client.row('book', fresh[0])).toBeUndefined()
}

const LABELS: readonly Attempt[] = [
  forged('in another partition', REFUSED, labelled({ partition: partitionOf('u2') })),
  forged(
    'in a partition that begins alike, and is not below',
    REFUSED,
    labelled({ partition: partitionOf('u') }),
  ),
  forged('in the whole dataset', REFUSED, labelled({ partition: root.certificate.id })),
  forged('in no partition', REFUSED, labelled({ partition: '' })),
  forged('in another dataset', REFUSED, labelled({ partition: `${HEX}:u1` })),
  forged('in a partition with other letters', REFUSED, labelled({ partition: partitionOf('U1') })),
  forged('in a partition with a line break', REFUSED, labelled({ partition: `\n${partitionOf('u1')}` })),
  forged('whose id does not follow', REFUSED, having({ model_uuid: HEX })),
  forged('whose source id does not fit its id', REFUSED, having({ source_id: HEX })),
  forged('of another model than its id says', REFUSED, having({ model_name: 'shelf' })),
  forged('of another transfer', REFUSED, having({ transfer_session: HEX })),
  forged('of a profile that nobody has', 'harmless', having({ profile: 'nobody' })),
]

const CONTENTS: readonly Attempt[] = [
  ...(
    [
      ['another owner', { owner: 'u2' }],
      ['an owner that begins alike', { owner: 'u11' }],
      ['an owner with a blank', { owner: 'u1 ' }],
      ['another root', { root: HEX }],
      ['another id', { id: HEX }],
      ['another source id', { _morango_source_id: 'x' }],
      ['another partition', { _morango_partition: partitionOf('u2') }],
    ] as const
  ).map(([what, values]): Attempt => ({
    ...forged(`whose content says ${what}`, ELSEWHERE, saying(values)),
    after: notWritten,
  })),
  {
    ...forged('whose content says its owner twice', ELSEWHERE, (record) => ({
      ...record,
      serialized: String(record['serialized']).replace('"owner": "u1"', '"owner": "u1", "owner": "u2"'),
    })),
    after: notWritten,
  },
  {
    name: 'that moves a record of the client’s elsewhere by a version of its own',
    outcome: ELSEWHERE,
    prepare: async ({ client }) => {
      await client.insert('card', { id: HEX, root: root.certificate.id, owner: 'u1', text: 'here' })
    },
    tamper: async ({ world: { server } }) => {
      await server.update('card', HEX, { text: 'moved' })
      return forging(HEX, saying({ owner: 'u2' }))
    },
    after: async ({ world: { client } }) => {
      expect(await client.row('card', HEX)).toMatchObject({ owner: 'u1', text: 'here' })
    },
  },
]

const TAKEN = 'cd'.repeat(16)

const IDS: readonly Attempt[] = [
  {
    name: 'with the id of a record of another partition',
    outcome: { waits: 'id-taken' },
    prepare: async ({ client }) => {
      await client.insert('card', { id: TAKEN, root: root.certificate.id, owner: 'u2', text: 'mine' })
    },
    tamper: async ({ world: { server } }) => {
      await server.insert('card', { id: TAKEN, root: root.certificate.id, owner: 'u1', text: 'stolen' })
      return (_call, honest) => honest()
    },
    after: async ({ world: { client } }) => {
      expect(await client.row('card', TAKEN)).toMatchObject({ owner: 'u2', text: 'mine' })
    },
  },
]

const VALUES: readonly Attempt[] = [
  ...[2 ** 31, -1, 1.5, '5', null, true, 1e300, [1], {}].map((counter) =>
    forged(`at counter ${JSON.stringify(counter)}`, REFUSED, having({ last_saved_counter: counter })),
  ),
  forged('at a counter of 5,000 digits', REFUSED, (record) => ({
    ...record,
    last_saved_counter: `9`.repeat(5000),
  })),
  forged('saved by nobody', REFUSED, having({ last_saved_instance: '' })),
  forged('saved by a path', REFUSED, having({ last_saved_instance: '../../../etc/passwd' })),
  forged(
    'with a partition of 129 characters',
    REFUSED,
    labelled({ partition: `${partitionOf('u1')}:${'x'.repeat(93)}` }),
  ),
  forged('with a source id of 97 characters', REFUSED, labelled({ source_id: 'x'.repeat(97) })),
  forged('with a model name of 41 characters', REFUSED, labelled({ model_name: 'x'.repeat(41) })),
  forged('with a NUL in its partition', REFUSED, labelled({ partition: `${partitionOf('u1')}:\0` })),
  forged('with a NUL in its source id', REFUSED, labelled({ source_id: 'x\0' })),
  forged('with a NUL in its content', REFUSED, (record) => ({
    ...record,
    serialized: `${String(record['serialized'])}\0`,
  })),
  forged('with half a surrogate pair', REFUSED, labelled({ source_id: 'x\ud800' })),
  forged('with a member that nobody knows', REFUSED, having({ extra: 1 })),
  forged('with a prototype', REFUSED, (record) =>
    Object.fromEntries([...Object.entries(record), ['__proto__', {}]]),
  ),
  forged('without a partition', REFUSED, (record) => without(record, 'partition')),
  forged('without a history', REFUSED, (record) => without(record, 'rmcb_list')),
  forged('that is no record', REFUSED, () => Object.fromEntries([['a', 1]])),
  forged('whose flags are texts', REFUSED, having({ deleted: 'false' })),
  forged('that refers to a path', REFUSED, having({ _self_ref_fk: '../'.repeat(100) })),
  {
    ...forged(
      'of more bytes than a record may have',
      { fails: ['payload-too-large', 'peer-protocol'] },
      (record) => saying({ title: 'x'.repeat(9 * 1024 * 1024) })(record),
    ),
    bytes: 64 * 1024 * 1024,
  },
]

const TEXTS: readonly Attempt[] = [
  ['that is not JSON', 'nonsense', 'malformed-json'],
  ['that is a list', '[]', 'malformed-json'],
  ['that is null', 'null', 'malformed-json'],
  ['that is empty', '', 'constraint'],
  ['nested a hundred thousand deep', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'malformed-json'],
].map(([what, serialized, code]) => ({
  ...forged(`with content ${what}`, { waits: code ?? '' }, having({ serialized })),
  after: notWritten,
}))

const KINDS_OF_VALUES: readonly Attempt[] = (
  [
    ['a text for a number', { pages: 'many' }, 'invalid-integer'],
    ['a number beyond 64 bits', { pages: 2 ** 80 }, 'invalid-integer'],
    ['a list for a text', { title: ['a'] }, 'invalid-type'],
    ['null where none may be', { title: null }, 'null-not-allowed'],
    ['a reference to nothing', { shelf_id: '12'.repeat(16) }, 'foreign-key-missing'],
    ['SQL for a reference', { shelf_id: "x'; drop table book; --" }, 'invalid-uuid'],
  ] as const
).map(([what, values, code]) => ({
  ...forged(`with ${what}`, { waits: code }, saying(values)),
  after: notWritten,
}))

const STRANGE: readonly Attempt[] = [
  {
    ...forged('of a model that nobody knows', { waits: 'unknown-model' }, labelled({ model_name: 'virus' })),
  },
  {
    ...forged(
      'of a model named as a table of ours',
      { waits: 'unknown-model' },
      labelled({ model_name: 'morango_certificate' }),
    ),
  },
  {
    ...forged(
      'of a model named as a prototype',
      { waits: 'unknown-model' },
      labelled({ model_name: '__proto__' }),
    ),
  },
  {
    ...forged(
      'with columns that the table has not',
      'harmless',
      saying({ constructor: 'x', rowid: 7, 'title"': 'x' }),
    ),
    after: async ({ world: { client }, fresh, mark }) => {
      expect((await client.row('book', fresh[0]))?.['title']).toBe(`from the server ${mark}`)
    },
  },
  {
    name: 'with conflicting data by the megabyte',
    outcome: 'harmless',
    bytes: 16 * 1024 * 1024,
    tamper: forgingFresh(
      having({ conflicting_serialized_data: `${JSON.stringify({ title: 'x' })}\n`.repeat(200_000) }),
    ),
    after: async ({ world: { client }, fresh }) => {
      const record = (await client.records()).find(({ id }) => id === fresh[0])
      expect(record?.conflicting.length).toBeLessThan(300_000)
    },
  },
]

/** Records that no honest server sends. */
export const records: Kind = {
  kind: 'sends a record',
  attempts: [...LABELS, ...CONTENTS, ...IDS, ...VALUES, ...TEXTS, ...KINDS_OF_VALUES, ...STRANGE],
}

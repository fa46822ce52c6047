import { expect } from 'vitest'
import { recordId } from '../src/core/ids.ts'
import { hex, letters } from './attacker.ts'
import { type Attempt, describeAttempts } from './attempts.ts'
import { content, groundOf, type Make, plants, present, sample, versionOf, visit } from './plant.ts'
import { CANARIES, type World } from './world.ts'

const byAnn = { as: 'ann' } as const
const byBee = { as: 'bee' } as const

const labels: readonly Attempt[] = [
  plants('a record in the parent', ({ root }) => ({ partition: `${root}:shared` })),
  plants('a record at a user', ({ root, bob }) => ({ partition: `${root}:user:${bob}` })),
  plants('a record in another dataset', ({ other }) => ({ partition: `${other}:shared:sample` })),
  plants('a record without a partition', () => ({ partition: '' })),
  plants(
    'a record whose partition is two',
    ({ root, other }) => ({ partition: `${root}:shared:sample\n${other}` }),
    [204, 400],
  ),
  plants('a record whose partition is almost its own', ({ root }) => ({ partition: `${root}:shared:sampl` })),
  plants('a record in capitals', ({ root }) => ({ partition: `${root}:SHARED:SAMPLE` })),
  plants('a record whose partition has NUL', ({ root }) => ({ partition: `${root}:shared:sample\0` })),
  plants(
    'a record under nothing',
    ({ root }) => ({ partition: `${root}:shared:sample:(nothing)` }),
    [204, 400],
  ),
  plants('a record with an id of its choice', () => ({ model_uuid: hex() })),
  plants("a record with the id of another's", ({ visits }) => ({ model_uuid: visits.bob })),
  plants('a record with no id', () => ({ model_uuid: '' })),
  plants('a record with an id in capitals', ({ samples }) => ({
    model_uuid: (samples[1] ?? '').toUpperCase(),
  })),
  plants('a record with NUL in its source id', () => ({ source_id: 'a\0b' })),
  plants('a record with a lone surrogate', () => ({ source_id: 'a\ud800' })),
  plants('a record of another profile', () => ({ profile: 'other' })),
  plants('a record of an unknown model', () => ({ model_name: 'secret' }), 'harmless'),
  plants('a record of a model of the language', () => ({ model_name: '__proto__' }), [204, 400]),
  plants('a record of our own table', () => ({ model_name: 'morango_certificate' }), 'harmless'),
  plants('a person in the samples', () => ({ model_name: 'person' }), [204, 400]),
  plants('a region in the samples', () => ({ model_name: 'region' }), [204, 400]),
  plants('a record for another transfer', () => ({ transfer_session: letters('e') })),
  plants('a record with a history of another record', ({ samples }) => ({
    raw: { rmcb_list: [{ transfer_session: '', model_uuid: samples[0], instance_id: hex(), counter: 1 }] },
  })),
  plants('a record with a history of another transfer', (_world, a) => {
    const record = a.record({})
    return {
      ...record,
      raw: { rmcb_list: record.rmcb_list.map((entry) => ({ ...entry, transfer_session: letters('e') })) },
    }
  }),
  plants('a record with a member more', () => ({ raw: { constructor: 'x' } })),
  plants('a record with a prototype', () => ({ raw: JSON.parse('{"__proto__": {"deleted": true}}') })),
  ...(['sampler', 'writer'] as const).map((as) =>
    plants(
      'a record through a wider filter',
      () => ({}),
      'refused',
      { as },
      ({ root }) => `${root}:shared`,
    ),
  ),
  plants(
    'a record with a certificate that reads',
    () => ({}),
    'refused',
    { as: 'reader' },
    ({ root }) => `${root}:shared:sample`,
  ),
  plants(
    'a record under nothing with a certificate that reads',
    ({ root }) => ({ partition: `${root}:shared:(nothing)` }),
    'refused',
    { as: 'reader' },
    ({ root }) => `${root}:shared:(nothing)`,
  ),
  plants(
    "a record of the other owner's dataset",
    ({ root }) => ({ partition: `${root}:shared:sample` }),
    'refused',
    byBee,
  ),
]

const contents: readonly Attempt[] = [
  plants(
    'a sample whose content is of another dataset',
    sample(({ other }) => ({ dataset_id: other })),
    'harmless',
  ),
  plants(
    'a sample whose content is of no dataset',
    sample(() => ({ dataset_id: '' })),
    'harmless',
  ),
  plants(
    'a sample whose content is of two datasets',
    sample(({ root }) => ({ dataset_id: `${root}\n${root}` })),
    'harmless',
  ),
  plants(
    'a sample with the label of another',
    sample(() => ({ label: 's1' })),
    'harmless',
  ),
  plants(
    'a sample with the id of another',
    sample(({ samples }) => ({ id: samples[1] })),
    'harmless',
  ),
  plants(
    'a sample with the id of a visit',
    sample(({ visits }) => ({ id: visits.bob })),
    'harmless',
  ),
  plants(
    'a sample whose JSON says another partition',
    sample(({ other }) => ({ _morango_partition: other })),
    'harmless',
  ),
  plants(
    'a sample whose JSON says another source id',
    sample(() => ({ _morango_source_id: 's1' })),
    'harmless',
  ),
  plants(
    'a visit of Bob’s',
    visit(({ bob }) => ({ person_id: bob })),
    'harmless',
    byAnn,
  ),
  plants(
    'a visit of the other dataset',
    visit(({ other, stranger }) => ({ dataset_id: other, person_id: stranger })),
    'harmless',
    byAnn,
  ),
  plants(
    'a visit of nobody',
    visit(() => ({ person_id: null })),
    'harmless',
    byAnn,
  ),
  plants(
    'a visit of somebody who is not there',
    visit(() => ({ person_id: letters('d') })),
    'harmless',
    byAnn,
  ),
  plants(
    'a visit of a list',
    visit(({ bob }) => ({ person_id: [bob] })),
    'harmless',
    byAnn,
  ),
  plants(
    'a visit of an object',
    visit(({ bob }) => ({ person_id: { id: bob } })),
    'harmless',
    byAnn,
  ),
  plants(
    'a visit with two people',
    (world, a) => {
      const made = visit(() => ({}))(world, a)
      return {
        ...made,
        serialized: (made.serialized ?? '').replace(/\}$/u, `, "person_id": "${world.bob}"}`),
      }
    },
    'harmless',
    byAnn,
  ),
  plants(
    'a visit with an escaped second person',
    (world, a) => {
      const made = visit(() => ({}))(world, a)
      return {
        ...made,
        serialized: (made.serialized ?? '').replace(/\}$/u, `, "person\\u005fid": "${world.bob}"}`),
      }
    },
    'harmless',
    byAnn,
  ),
  plants(
    'a visit with a prototype',
    (world, a) => {
      const made = visit(() => ({}))(world, a)
      return {
        ...made,
        serialized: (made.serialized ?? '').replace(/^\{/u, `{"__proto__": {"person_id": "${world.bob}"}, `),
      }
    },
    'harmless',
    byAnn,
  ),
  plants(
    'a visit at a region of the other dataset',
    visit(({ other }) => ({
      region_id: recordId(`${other}:shared`, 'south', 'region'),
    })),
    'harmless',
    byAnn,
  ),
  ...(
    [
      ['no JSON', 'x'],
      ['nothing', ''],
      ['a list', '[]'],
      ['null', 'null'],
      ['a number', '1e999'],
      ['a text', '"x"'],
      ['half an object', '{"id": '],
      ['deep nesting', '['.repeat(100_000)],
      ['deep objects', '{"a":'.repeat(100_000)],
      ['a thousand digits', `{"small": ${'9'.repeat(1000)}}`],
      ['100,000 digits', `{"small": ${'9'.repeat(100_000)}}`],
      ['NUL in a text', '{"note": "a\\u0000b"}'],
      ['a lone surrogate', '{"note": "a\\ud800b"}'],
      ['200,000 members', `{${Array.from({ length: 200_000 }, (_, n) => `"k${n}":1`).join(',')}}`],
    ] as const
  ).map(([what, serialized]) =>
    plants(
      `a visit that is ${what}`,
      (world, a) => ({ ...visit(() => ({}))(world, a), serialized }),
      [204, 400, 413],
      byAnn,
    ),
  ),
  plants(
    "somebody else's person",
    ({ bob, root, ann }) => ({
      model_name: 'person',
      source_id: bob,
      model_uuid: bob,
      partition: `${root}:user:${ann}`,
      serialized: content(
        { id: bob, source: bob, partition: `${root}:user:${ann}` },
        { dataset_id: root, name: 'taken' },
      ),
    }),
    'harmless',
    { ...byAnn, and: async (world) => expect(await nameOf(world, world.bob)).toContain(CANARIES.bob) },
  ),
]

/** A person of the other dataset, under an id that is taken in this one. */
function squats(id: (world: World) => string): Make {
  return (world) => {
    const partition = `${world.other}:user:${id(world)}`
    return {
      model_name: 'person',
      source_id: id(world),
      model_uuid: id(world),
      partition,
      serialized: content(
        { id: id(world), source: id(world), partition },
        { dataset_id: world.other, name: 'squatter' },
      ),
    }
  }
}

async function nameOf({ kysely }: World, id: string): Promise<string | undefined> {
  const row = await kysely
    .selectFrom('morango_store')
    .select('serialized')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.serialized
}

const taken: readonly Attempt[] = [
  plants(
    "a person with Bob's id",
    squats(({ bob }) => bob),
    'harmless',
    {
      ...byBee,
      and: async (world) => expect(await nameOf(world, world.bob)).toContain(CANARIES.bob),
    },
  ),
  plants(
    "a person with Ann's id, deleted",
    (world, a) => ({ ...squats(({ ann }) => ann)(world, a), deleted: true }),
    'harmless',
    byBee,
  ),
  plants(
    "a person with Ann's id, deleted hard",
    (world, a) => ({
      ...squats(({ ann }) => ann)(world, a),
      deleted: true,
      hard_deleted: true,
      serialized: '{}',
    }),
    'harmless',
    byBee,
  ),
  plants(
    "a person with Bob's id that knows his version",
    (world, a) => ({
      ...squats(({ bob }) => bob)(world, a),
      history: { [letters('1')]: 1 },
    }),
    'harmless',
    byBee,
  ),
  plants(
    'a person with the id of a sample',
    squats(({ samples }) => samples[2] ?? ''),
    'harmless',
    byBee,
  ),
  plants(
    "a person with the id of Bob's visit",
    squats(({ visits }) => visits.bob),
    'harmless',
    byBee,
  ),
  plants(
    'a person with the id of the root certificate',
    squats(({ root }) => root),
    'harmless',
    byBee,
  ),
]

/** The region, deleted by who may not write it; or a record of the samples, deleted. */
const deletions: readonly Attempt[] = [
  plants('a deletion of the region', ({ root, region }) => ({
    model_name: 'region',
    source_id: 'north',
    model_uuid: region,
    partition: `${root}:shared`,
    deleted: true,
    hard_deleted: true,
    serialized: '{}',
  })),
  plants("a hard deletion of Bob's visit", ({ root, bob, visits }) => ({
    model_name: 'visit',
    source_id: 'x',
    model_uuid: visits.bob,
    partition: `${root}:user:${bob}`,
    deleted: true,
    hard_deleted: true,
    serialized: '{}',
  })),
  plants(
    'a hard deletion of a sample',
    (world) => ({ ...present(6, world), deleted: true, hard_deleted: true, serialized: '{}' }),
    'harmless',
  ),
  // The region of the other dataset is referred to from this one; the owner of the former deletes it hard.
  {
    name: 'deletes hard what rows of others refer to',
    as: 'bee',
    before: async ({ insert, update, other, root, bob, morango }) => {
      const region = await insert('region', { dataset_id: other, code: 'bait', name: CANARIES.other })
      await update('person', bob, { home_id: region })
      await insert('visit', { dataset_id: root, person_id: bob, region_id: region, note: CANARIES.bob })
      await morango.serialize()
    },
    run: async (a, { other }) => {
      const partition = `${other}:shared`
      return await a.push({
        filter: other,
        records: [
          {
            model_name: 'region',
            source_id: 'bait',
            partition,
            deleted: true,
            hard_deleted: true,
            serialized: '{}',
            history: await versionOf(a.world, recordId(partition, 'bait', 'region')),
          },
        ],
      })
    },
    outcome: 'harmless',
  },
  {
    name: 'deletes softly what rows of others refer to',
    as: 'bee',
    before: async ({ insert, other, root, bob, morango }) => {
      const region = await insert('region', { dataset_id: other, code: 'decoy', name: CANARIES.other })
      await insert('visit', { dataset_id: root, person_id: bob, region_id: region, note: CANARIES.bob })
      await morango.serialize()
    },
    run: async (a, { other }) => {
      const partition = `${other}:shared`
      const history = await versionOf(a.world, recordId(partition, 'decoy', 'region'))
      return await a.push({
        filter: other,
        records: [{ model_name: 'region', source_id: 'decoy', partition, deleted: true, history }],
      })
    },
    outcome: 'harmless',
  },
  {
    name: 'brings back a record that was deleted hard',
    as: 'sampler',
    run: (a, world) => a.push({ filter: groundOf('sampler', world), records: [present(7, world)] }),
    outcome: 'harmless',
    and: staysDeleted,
  },
  {
    name: 'brings it back by a late version',
    as: 'sampler',
    run: (a, world) =>
      a.push({
        filter: groundOf('sampler', world),
        records: [{ ...present(7, world), last_saved_counter: 500_000 }],
      }),
    outcome: 'harmless',
    and: staysDeleted,
  },
  {
    name: 'brings it back by a history of thousands',
    as: 'sampler',
    run: (a, world) =>
      a.push({
        filter: groundOf('sampler', world),
        records: [
          {
            ...present(7, world),
            history: Object.fromEntries(Array.from({ length: 990 }, () => [hex(), 1])),
          },
        ],
      }),
    outcome: 'harmless',
    and: staysDeleted,
  },
]

async function staysDeleted({ kysely, samples }: World): Promise<void> {
  const row = await kysely
    .selectFrom('morango_store')
    .select(['deleted', 'hard_deleted', 'serialized'])
    .where('id', '=', samples[7] ?? '')
    .executeTakeFirst()
  expect(row).toEqual({ deleted: 1, hard_deleted: 1, serialized: '{}' })
}

const counters: readonly Attempt[] = [
  ...([-1, 1.5, 2 ** 31, 2 ** 53, Number.NaN, '1', null, true, [], {}] as const).map((counter) =>
    plants(`a record saved at ${JSON.stringify(counter)}`, () => ({ raw: { last_saved_counter: counter } })),
  ),
  ...([-1, 1.5, 2 ** 31, 2 ** 63, '1', null] as const).map((counter) =>
    plants(`a record with a history at ${JSON.stringify(counter)}`, (_world, a) => {
      const record = a.record({})
      const [entry] = record.rmcb_list
      return { ...record, raw: { rmcb_list: [{ ...entry, counter }] } }
    }),
  ),
  plants('a record of an instance that is none', () => ({ last_saved_instance: 'x' })),
  plants('a record of an empty instance', () => ({ last_saved_instance: '' })),
  plants('a history that is no list', () => ({ raw: { rmcb_list: 'x' } })),
  plants('a history that is an object', () => ({ raw: { rmcb_list: { length: 1 } } })),
  plants('a history of thousands', () => ({
    history: Object.fromEntries(Array.from({ length: 5000 }, () => [hex(), 1])),
  })),
  plants('a partition of 129 characters', ({ root }) => ({
    partition: `${root}:shared:sample:`.padEnd(129, 'x'),
  })),
  plants('a partition of a megabyte', ({ root }) => ({
    partition: `${root}:shared:sample:`.padEnd(1 << 20, 'x'),
  })),
  plants('a source id of 97 characters', () => ({ source_id: 'x'.repeat(97) })),
  plants('a source id of a megabyte', () => ({ source_id: 'x'.repeat(1 << 20) })),
  plants('an empty source id', () => ({ source_id: '' }), [204, 400]),
  plants('a model name of 41 characters', () => ({ model_name: 'x'.repeat(41) })),
  plants('a reference of 33 characters', () => ({ _self_ref_fk: 'x'.repeat(33) })),
  plants('flags that are texts', () => ({ raw: { deleted: 'false', hard_deleted: 'true' } })),
  plants('a content that is an object', () => ({ raw: { serialized: {} } })),
  plants('a record of 9 MB', () => ({ serialized: `{"text": "${'x'.repeat(9 << 20)}"}` })),
  plants('9 MB of conflicting data', () => ({ conflicting_serialized_data: 'x'.repeat(9 << 20) })),
  plants(
    'conflicting data of 10,000 versions',
    () => ({ conflicting_serialized_data: '{}\n'.repeat(10_000) }),
    'harmless',
  ),
]

describeAttempts('records', {
  'labels elsewhere': labels,
  'content elsewhere': contents,
  'ids that are taken': taken,
  deletions,
  'counters and lengths': counters,
})

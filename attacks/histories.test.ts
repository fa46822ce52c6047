import { expect } from 'vitest'
import { recordId } from '../src/core/ids.ts'
import { type Attacker, hex, type RecordWish } from './attacker.ts'
import { type Attempt, describeAttempts } from './attempts.ts'
import { certify } from '../interop/introduce.ts'
import { createOurPeer } from '../interop/our-peer.ts'
import { content, groundOf, present, textOf, versionOf } from './plant.ts'
import { CANARIES, type World } from './world.ts'

const MAX = 2 ** 31 - 1

type History = (world: World, attacker: Attacker) => Promise<Record<string, unknown>>

async function stamped({ morango }: World): Promise<{ readonly id: string; readonly counter: number }> {
  return (await morango.status()).instance
}

/** Fails unless the row is as it was, and the forgery is on record as that attacker's conflict. */
async function isConflict(world: World, { held }: Attacker, id: string, text: string): Promise<void> {
  expect(await textOf(world, id), 'the row').toBe(text)
  const conflicts = (await world.morango.conflicts.list()).filter((conflict) => conflict.recordId === id)
  expect(conflicts.map(({ certificateId }) => certificateId)).toContain(held.certificate.id)
}

/** An edit of the server that no peer has seen, and a forged version of the same sample. */
function forges(what: string, number: number, history: History): Attempt {
  const text = `${CANARIES.sample} unseen`
  return {
    name: `over an edit that nobody has seen, ${what}`,
    as: 'sampler',
    before: async ({ update, samples }) => await update('sample', samples[number] ?? '', { text }),
    run: async (a, world) =>
      a.push({
        filter: groundOf('sampler', world),
        records: [{ ...present(number, world), ...(await history(world, a)) }],
        fsic: a.claims(1),
      }),
    outcome: 'harmless',
    and: async (world, a) => await isConflict(world, a, world.samples[number] ?? '', text),
  }
}

const unseen: readonly Attempt[] = [
  forges('with no history', 0, async () => ({})),
  forges('with a history that names the server at its counter', 1, async (world) => {
    const { id, counter } = await stamped(world)
    return { history: { [id]: counter + 1 } }
  }),
  forges('with a history that names the server at the highest counter', 2, async (world) => ({
    history: { [(await stamped(world)).id]: MAX },
  })),
  forges('saved by the server, it says, at the next counter', 3, async (world) => {
    const { id, counter } = await stamped(world)
    return { last_saved_instance: id, last_saved_counter: counter + 1 }
  }),
  forges('saved by the server, it says, at the highest counter', 4, async (world) => ({
    last_saved_instance: (await stamped(world)).id,
    last_saved_counter: MAX,
  })),
  forges('with the server named twice', 5, async (world, a) => {
    const { id, counter } = await stamped(world)
    const record = a.record(present(5, world))
    const [own] = record.rmcb_list
    const lies = [counter + 7, MAX].map((counted) => ({ ...own, instance_id: id, counter: counted }))
    return { rmcb_list: [...record.rmcb_list, ...lies] }
  }),
]

/** The sample of an honest peer: who saved it last, what its row says, and a forged version of it. */
interface HonestSample {
  readonly id: string
  readonly by: string
  readonly counter: number
  readonly text: string
  readonly forged: RecordWish
}

/** @param source - that of the peer of the original counts where there is one */
async function honestSample(world: World, source: string): Promise<HonestSample> {
  const partition = `${world.root}:shared:sample`
  const id = recordId(partition, source, 'sample')
  const text = await textOf(world, id)
  if (text === undefined) return await honestSample(world, 'of ours')
  const [[by, counter] = ['', 0]] = Object.entries(await versionOf(world, id))
  const columns = { dataset_id: world.root, label: source, text: 'forged' }
  const serialized = content({ id, source, partition }, columns)
  return {
    id,
    by,
    counter,
    text: String(text),
    forged: { source_id: source, model_uuid: id, partition, serialized },
  }
}

/** A forged version of a sample that an honest third instance saved last. */
function forgesThird(
  what: string,
  lies: (by: string, counter: number) => RecordWish,
  more: { readonly source?: string; readonly impersonates?: true } = {},
): Attempt {
  const { source = 'of ours', impersonates = false } = more
  let was: HonestSample | undefined
  return {
    name: `over an edit of an honest third instance (${source}), ${what}`,
    as: 'sampler',
    run: async (a, world) => {
      was = await honestSample(world, source)
      const { by, counter, forged } = was
      const filter = groundOf('sampler', world)
      const wish = { filter, records: [{ ...forged, ...lies(by, counter) }] }
      if (!impersonates) return await a.push({ ...wish, fsic: a.claims(1) })
      const { id: session } = await a.open({ instance: JSON.stringify({ id: by }) })
      return await a.push({ ...wish, session, fsic: { super: {}, sub: { [filter]: { [by]: 1 } } } })
    },
    outcome: 'harmless',
    and: async (world, a) => {
      await isConflict(world, a, was?.id ?? '', was?.text ?? '')
      await expectNothingFar(world)
    },
  }
}

/** No counter of any history or claim here is one that nothing supports. */
async function expectNothingFar({ kysely }: World): Promise<void> {
  const far = 1_100_000
  const history = await kysely
    .selectFrom('morango_record_max_counter')
    .selectAll()
    .where('counter', '>', far)
    .execute()
  const store = await kysely
    .selectFrom('morango_store')
    .select('id')
    .where('last_saved_counter', '>', far)
    .execute()
  const claims = await kysely
    .selectFrom('morango_database_max_counter')
    .selectAll()
    .where('counter', '>', far)
    .execute()
  expect({ history, store, claims }).toEqual({ history: [], store: [], claims: [] })
}

const third: readonly Attempt[] = [
  forgesThird('that names it at the highest counter', (by) => ({ history: { [by]: MAX } })),
  forgesThird('that names it two million beyond', (by, counter) => ({
    history: { [by]: counter + 2_000_000 },
  })),
  forgesThird('saved by it, it says, at the highest counter', (by) => ({
    last_saved_instance: by,
    last_saved_counter: MAX,
  })),
  forgesThird('saved by it, it says, two million beyond', (by, counter) => ({
    last_saved_instance: by,
    last_saved_counter: counter + 2_000_000,
  })),
  forgesThird('that names it at the highest counter', (by) => ({ history: { [by]: MAX } }), {
    source: 'of python',
  }),
  forgesThird(
    'saved by it, it says, two million beyond',
    (by, counter) => ({
      last_saved_instance: by,
      last_saved_counter: counter + 2_000_000,
    }),
    { source: 'of python' },
  ),
  // Whoever says that it is another can have its versions doubted: they are conflicts then, and ours is kept.
  forgesThird(
    'saved by it before, by who says that it is it and claims little',
    (by, counter) => ({
      last_saved_instance: by,
      last_saved_counter: counter - 1,
    }),
    { impersonates: true },
  ),
  forgesThird('saved by another, at the highest counter, that names it', (by) => ({
    last_saved_instance: hex(),
    last_saved_counter: MAX,
    history: { [by]: MAX },
  })),
]

/** An honest peer's next edit, after what the attacker has made of the record's history. */
function poisons(
  what: string,
  order: readonly boolean[],
  lie: (counter: number) => number,
  form: 'in its history' | 'as its author' = 'in its history',
): Attempt {
  return {
    name: `poisons the history of an honest peer's record ${what}; its next edits still count`,
    as: 'sampler',
    run: async (a, world) => {
      const honest = await createOurPeer()
      try {
        const { root, url } = world
        await certify(honest, { ...honest, url }, root)
        const filter = `${root}:shared:sample`
        const sync = async (): Promise<void> => {
          const transfers = order.map((push) => ({ push, filter }))
          await honest.sync({ url, dataset: root, transfers })
        }
        const source = `poisoned ${hex().slice(0, 6)}`
        const row = { dataset_id: root, label: source, text: 'first' }
        const [id = ''] = await honest.create({ model: 'sample', rows: [row] })
        await sync()
        const [[by, counter] = ['', 0]] = Object.entries(await versionOf(world, id))
        const partition = filter
        const serialized = content({ id, source, partition }, { ...row, text: 'forged' })
        const lies =
          form === 'in its history'
            ? { history: { [by]: lie(counter) } }
            : { last_saved_instance: by, last_saved_counter: lie(counter) }
        const pushed = await a.push({
          filter,
          records: [{ source_id: source, model_uuid: id, serialized, ...lies }],
          fsic: a.claims(1),
        })
        for (const text of ['second', 'third']) {
          await honest.update({ model: 'sample', id, fields: { text } })
          await sync()
          await sync()
          await sync()
        }
        expect(await textOf(world, id), 'what the server has').toBe('third')
        const [own] = (await honest.dump({})).app.sample.filter((one) => one['id'] === id)
        expect(own?.['text'], 'what the honest peer has').toBe('third')
        return pushed
      } finally {
        await honest.close()
      }
    },
    outcome: 'harmless',
    // The honest peer has come, and edits.
    allows: (difference) => !/^(region|person|visit): /u.test(difference),
  }
}

const poison: readonly Attempt[] = [
  poisons('by what it has, pull first', [false, true], (counter) => counter),
  poisons('by a little, pull first', [false, true], (counter) => counter + 5),
  poisons('by a little, push first', [true, false], (counter) => counter + 5),
  poisons('by much, pull first', [false, true], (counter) => counter + 900_000),
  poisons('by much, push first', [true, false], (counter) => counter + 900_000),
  poisons('by what cannot be, pull first', [false, true], () => MAX),
  poisons('by what cannot be, push first', [true, false], () => MAX),
  poisons('in its name, pull first', [false, true], (counter) => counter + 5, 'as its author'),
  poisons('in its name, push first', [true, false], (counter) => counter + 5, 'as its author'),
  poisons('in its name by what cannot be', [true, false], () => MAX, 'as its author'),
]

describeAttempts('histories', {
  'edits that nobody has seen': unseen,
  'honest third instances': third,
  'poisoned records': poison,
})

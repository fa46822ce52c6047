import { recordId } from '../src/core/ids.ts'
import { type Attacker, type AttackerName, hex, type RecordWish } from './attacker.ts'
import type { Attempt, Outcome } from './attempts.ts'
import type { World } from './world.ts'

/** Makes a record that is not what it should be. */
export type Make = (world: World, attacker: Attacker) => RecordWish

/** Where an attacker may write. */
export function groundOf(as: AttackerName, { root, ann, other }: World): string {
  if (as === 'ann') return `${root}:user:${ann}`
  return as === 'bee' ? other : `${root}:shared:sample`
}

/** A push of one record, by who may write. */
export function plants(
  what: string,
  make: Make,
  outcome: Outcome = 'refused',
  more: Partial<Attempt> = {},
  filterOf: (world: World) => string = (world) => groundOf(more.as ?? 'sampler', world),
): Attempt {
  return {
    name: `plants ${what}`,
    as: 'sampler',
    run: (a, world) => a.push({ filter: filterOf(world), records: [make(world, a)] }),
    outcome,
    ...more,
  }
}

/** JSON of a record with its label, and these columns. */
export function content(
  label: { readonly id: string; readonly source: string; readonly partition: string },
  columns: Readonly<Record<string, unknown>>,
): string {
  const { id, source, partition } = label
  return JSON.stringify({ id, _morango_source_id: source, _morango_partition: partition, ...columns })
}

/** A sample whose label is as it should be, and whose JSON says what it likes. */
export function sample(columns: (world: World) => Readonly<Record<string, unknown>>): Make {
  return (world) => {
    const source = `planted-${hex().slice(0, 8)}`
    const partition = `${world.root}:shared:sample`
    const id = recordId(partition, source, 'sample')
    const serialized = content(
      { id, source, partition },
      { dataset_id: world.root, label: source, ...columns(world) },
    )
    return { source_id: source, partition, model_uuid: id, serialized }
  }
}

/** A visit of Ann's by its label. */
export function visit(columns: (world: World) => Readonly<Record<string, unknown>>): Make {
  return (world) => {
    const source = hex()
    const partition = `${world.root}:user:${world.ann}`
    const id = recordId(partition, source, 'visit')
    const own = { dataset_id: world.root, person_id: world.ann, region_id: world.region, note: 'planted' }
    return {
      model_name: 'visit',
      source_id: source,
      partition,
      model_uuid: id,
      serialized: content({ id, source, partition }, { ...own, ...columns(world) }),
    }
  }
}

/** A version of a record of the samples that is there. */
export function present(number: number, world: World): RecordWish {
  const id = world.samples[number] ?? ''
  const source = `s${number}`
  const partition = `${world.root}:shared:sample`
  return {
    source_id: source,
    model_uuid: id,
    partition,
    serialized: content({ id, source, partition }, { dataset_id: world.root, label: source, text: 'forged' }),
  }
}

/** The version of a record at the server, as an honest reader knows it. */
export async function versionOf({ kysely }: World, id: string): Promise<Record<string, number>> {
  const row = await kysely
    .selectFrom('morango_store')
    .select(['last_saved_instance', 'last_saved_counter'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return { [row.last_saved_instance]: row.last_saved_counter }
}

/** What the row of a sample says. */
export async function textOf({ kysely }: World, id: string): Promise<unknown> {
  const row = await kysely
    .withTables<{ sample: { id: string; text: string } }>()
    .selectFrom('sample')
    .select('text')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.text
}

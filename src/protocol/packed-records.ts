import { recordId } from '../core/ids.ts'
import { MAX_HISTORY, MAX_MODEL_NAME, MAX_PARTITION, MAX_SOURCE_ID } from '../core/limits.ts'
import type { BufferRecord } from '../session/ports.ts'
import type { FieldProblems } from './decode.ts'
import { FIELD_MESSAGES, tooLong } from './fields.ts'
import { createPace } from './pace.ts'
import type { Pace } from './pace.ts'
import { isWithin } from './text-length.ts'

/**
 * A chunk of records as two of our own send it to each other: what all have in common once, what many have as a
 * number into a list, the rest column by column, so that it is read and compressed in a third of the time.
 */
export interface PackedRecords {
  readonly transfer_session: string
  readonly profile: string
  readonly models: readonly string[]
  readonly partitions: readonly string[]
  readonly instances: readonly string[]
  /** For each record its place in `models`, and so on. */
  readonly model: readonly number[]
  readonly partition: readonly number[]
  readonly instance: readonly number[]
  readonly counter: readonly number[]
  readonly source_id: readonly string[]
  /** With marks where the record's own id, source id and partition stood first. */
  readonly serialized: readonly string[]
  /** By a record's place in the chunk, where it is not what most have. */
  readonly rare: Readonly<Record<string, Rare>>
}

interface Rare {
  /** Where the id does not follow from partition, source id and model. */
  readonly id?: string
  /** `serialized` as it is, without marks. */
  readonly plain?: true
  readonly deleted?: true
  readonly hard_deleted?: true
  readonly conflicting?: string
  readonly self_ref?: string
  /** The history as places in `instances` and counters; without it, it is the last-saved pair alone. */
  readonly history?: readonly (readonly [instance: number, counter: number])[]
}

// No JSON text has these but escaped.
const [ID_MARK, SOURCE_MARK, PARTITION_MARK] = ['\u0001', '\u0002', '\u0003'] as const

/** Packs the records of one transfer. They must be at least one, and all name the same transfer and profile. */
export function packRecords(records: readonly BufferRecord[]): PackedRecords {
  const models = new Places()
  const partitions = new Places()
  const instances = new Places()
  const serialized: string[] = []
  const rare: Record<string, Rare> = {}
  for (const [place, record] of records.entries()) {
    const marked = mark(record, record.serialized)
    const plain = unmark(record, marked) !== record.serialized
    serialized.push(plain ? record.serialized : marked)
    const special = specialOf(record, plain, instances)
    if (special !== undefined) rare[place] = special
  }
  const [first] = records
  return {
    transfer_session: first?.transfer_session ?? '',
    profile: first?.profile ?? '',
    model: records.map((record) => models.of(record.model_name)),
    partition: records.map((record) => partitions.of(record.partition)),
    instance: records.map((record) => instances.of(record.last_saved_instance)),
    counter: records.map((record) => record.last_saved_counter),
    source_id: records.map((record) => record.source_id),
    serialized,
    rare,
    models: models.list,
    partitions: partitions.list,
    instances: instances.list,
  }
}

/** Whether records can be packed together. */
export function arePackable(records: readonly BufferRecord[]): boolean {
  const [first] = records
  return (
    first !== undefined &&
    records.every(
      ({ transfer_session, profile }) =>
        transfer_session === first.transfer_session && profile === first.profile,
    )
  )
}

/**
 * The records again. That each is what a buffer record must be is left to the usual checks.
 *
 * @param keep - takes each record as it is made, before the next
 * @param failure - makes the error for a value that is no packed chunk
 * @throws what `keep` and `failure` make, and the pace
 */
export async function unpackRecords(
  value: unknown,
  keep: (record: BufferRecord, place: number) => void,
  failure: (problems: FieldProblems) => Error,
  pace: Pace = createPace(),
): Promise<void> {
  if (!isPacked(value)) throw failure({ packed: [FIELD_MESSAGES.object] })
  requireEqualLengths(value, failure)
  for (let place = 0; place < value.serialized.length; place++) {
    keep(unpackRecord(value, place, failure), place)
    const rest = place % PACE_EVERY === 0 ? pace() : undefined
    // oxlint-disable-next-line no-await-in-loop
    if (rest !== undefined) await rest
  }
}

/** So many records are unpacked in less than a slice of time. */
const PACE_EVERY = 50

/** Rejects lists of different lengths and what is said of records that are not there. */
function requireEqualLengths(packed: PackedRecords, failure: (problems: FieldProblems) => Error): void {
  const { model, partition, instance, counter, source_id, serialized, rare } = packed
  const records = serialized.length
  if ([model, partition, instance, counter, source_id].some((list) => list.length !== records)) {
    throw failure({ packed: ['Lists of one length are required.'] })
  }
  const stray = Object.keys(rare).some((key) => String(Number(key)) !== key || !isPlace(Number(key), records))
  if (stray) throw failure({ rare: ['Places of records are required.'] })
}

function unpackRecord(
  packed: PackedRecords,
  place: number,
  failure: (problems: FieldProblems) => Error,
): BufferRecord {
  const { transfer_session, profile } = packed
  const rare: Rare = packed.rare[place] ?? {}
  const missing = (what: string): never => {
    throw failure({ [what]: [FIELD_MESSAGES.required] })
  }
  const at = (list: 'models' | 'partitions' | 'instances', index: number | undefined): string =>
    packed[list][index ?? -1] ?? missing(list)
  const model_name = at('models', packed.model[place])
  const partition = at('partitions', packed.partition[place])
  const last_saved_instance = at('instances', packed.instance[place])
  const last_saved_counter = packed.counter[place] ?? missing('counter')
  const source_id = packed.source_id[place] ?? missing('source_id')
  requireShort({ models: model_name, partitions: partition, source_id }, failure)
  const model_uuid = rare.id ?? recordId(partition, source_id, model_name)
  const entry = (instance_id: string, counter: number): BufferRecord['rmcb_list'][number] => ({
    transfer_session,
    model_uuid,
    instance_id,
    counter,
  })
  const text = packed.serialized[place] ?? missing('serialized')
  return {
    serialized: rare.plain === true ? text : unmark({ model_uuid, source_id, partition }, text),
    deleted: rare.deleted ?? false,
    last_saved_instance,
    last_saved_counter,
    hard_deleted: rare.hard_deleted ?? false,
    partition,
    source_id,
    model_name,
    conflicting_serialized_data: rare.conflicting ?? '',
    model_uuid,
    transfer_session,
    profile,
    rmcb_list: rare.history?.map(([instance, counter]) => entry(at('instances', instance), counter)) ?? [
      entry(last_saved_instance, last_saved_counter),
    ],
    _self_ref_fk: rare.self_ref ?? '',
  }
}

/** Before the id is derived of them, and before they stand for marks: both would multiply what is long. */
function requireShort(
  { models, partitions, source_id }: Readonly<Record<'models' | 'partitions' | 'source_id', string>>,
  failure: (problems: FieldProblems) => Error,
): void {
  if (!isWithin(models, MAX_MODEL_NAME)) throw failure({ models: [tooLong(MAX_MODEL_NAME)] })
  if (!isWithin(partitions, MAX_PARTITION)) throw failure({ partitions: [tooLong(MAX_PARTITION)] })
  if (!isWithin(source_id, MAX_SOURCE_ID)) throw failure({ source_id: [tooLong(MAX_SOURCE_ID)] })
}

function isPlace(value: number, length: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < length
}

function specialOf(record: BufferRecord, plain: boolean, instances: Places): Rare | undefined {
  const { model_uuid: id, last_saved_instance, last_saved_counter, rmcb_list } = record
  const derived = recordId(record.partition, record.source_id, record.model_name) === id
  const [only] = rmcb_list
  const bare =
    rmcb_list.length === 1 && only?.instance_id === last_saved_instance && only.counter === last_saved_counter
  const { deleted, hard_deleted, conflicting_serialized_data: conflicting, _self_ref_fk: self_ref } = record
  const usual =
    derived && bare && !plain && !deleted && !hard_deleted && conflicting === '' && self_ref === ''
  if (usual) return undefined
  return {
    ...(!derived && { id }),
    ...(plain && { plain }),
    ...(deleted && { deleted }),
    ...(hard_deleted && { hard_deleted }),
    ...(conflicting !== '' && { conflicting }),
    ...(self_ref !== '' && { self_ref }),
    ...(!bare && {
      history: rmcb_list.map((entry) => [instances.of(entry.instance_id), entry.counter] as const),
    }),
  }
}

type Own = Pick<BufferRecord, 'model_uuid' | 'source_id' | 'partition'>

// The partition first: it may hold the id.
function mark({ model_uuid, source_id, partition }: Own, text: string): string {
  return text.replace(partition, PARTITION_MARK).replace(model_uuid, ID_MARK).replace(source_id, SOURCE_MARK)
}

function unmark({ model_uuid, source_id, partition }: Own, text: string): string {
  return text
    .replace(SOURCE_MARK, () => source_id)
    .replace(ID_MARK, () => model_uuid)
    .replace(PARTITION_MARK, () => partition)
}

/** Texts in the order of their first use. */
class Places {
  readonly list: string[] = []
  readonly #places = new Map<string, number>()

  of(text: string): number {
    const known = this.#places.get(text)
    if (known !== undefined) return known
    this.#places.set(text, this.list.length)
    return this.list.push(text) - 1
  }
}

function isPacked(value: unknown): value is PackedRecords {
  if (typeof value !== 'object' || value === null) return false
  const packed: { readonly [K in keyof PackedRecords]?: unknown } = value
  return (
    typeof packed.transfer_session === 'string' &&
    typeof packed.profile === 'string' &&
    [packed.models, packed.partitions, packed.instances, packed.source_id, packed.serialized].every((list) =>
      isListOf(list, 'string'),
    ) &&
    [packed.model, packed.partition, packed.instance, packed.counter].every((list) =>
      isListOf(list, 'number'),
    ) &&
    typeof packed.rare === 'object' &&
    packed.rare !== null &&
    Object.values(packed.rare).every(isRare)
  )
}

function isRare(value: unknown): value is Rare {
  if (typeof value !== 'object' || value === null) return false
  const rare: { readonly [K in keyof Rare]?: unknown } = value
  const { history } = rare
  return (
    [rare.id, rare.conflicting, rare.self_ref].every(
      (text) => text === undefined || typeof text === 'string',
    ) &&
    [rare.plain, rare.deleted, rare.hard_deleted].every((flag) => flag === undefined || flag === true) &&
    (history === undefined ||
      (Array.isArray(history) &&
        history.length <= MAX_HISTORY &&
        history.every((entry) => isListOf(entry, 'number') && entry.length === 2)))
  )
}

function isListOf(value: unknown, type: 'string' | 'number'): value is unknown[] {
  return Array.isArray(value) && value.every((item) => typeof item === type)
}

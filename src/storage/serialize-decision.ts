import { filterContains, type Filter } from '../core/filter.ts'
import { boundConflictingData } from '../core/conflicting-data.ts'
import { isMorangoError } from '../core/errors.ts'
import { DEFAULT_MAX_RECORD_BYTES } from '../core/limits.ts'
import { joinObject, mergeObject } from '../core/python-json.ts'
import { exceedsBytes } from '../core/text-bytes.ts'
import { type CompiledModel, FieldError, type RecordIdentity, type SqlValue } from '../models/compiled.ts'
import { NOTHING } from '../core/scope.ts'
import { parseCounters } from './outgoing.ts'
import type { KeptPending } from './pending.ts'
import type { Flag } from './schema.ts'

/** One pending record with its application row. */
export interface Candidate {
  readonly morango_record_id: string
  readonly morango_hard: Flag
  readonly morango_row_exists: string | null
  readonly morango_store_exists: string | null
  readonly [column: string]: unknown
}

/** What the Store has of a candidate. */
export interface Stored {
  readonly id: string
  readonly partition: string
  readonly sourceId: string
  readonly serialized: string
  readonly conflicting: string
  readonly selfRef: string
  readonly deleted: Flag
  readonly hardDeleted: Flag
  readonly transfer: string | null
  readonly dirty: number | null
  readonly instance: string
  readonly counter: number
  /** The record max counters, the last saved pair left out; read for models with sums. */
  readonly history?: string | null
  readonly model: string
}

/** An edit and a received version that had not been applied yet. */
export interface MetWaiting {
  readonly resolution: 'edit-kept' | 'deletion-won'
  readonly edited: string
}

interface StoreRow {
  readonly partition: string
  readonly serialized: string
  readonly values: readonly SqlValue[]
}

/** What becomes of a candidate: another row of the Store, nothing, or it goes on waiting. */
export type Outcome =
  | {
      readonly kind: 'created' | 'updated' | 'deleted' | 'hard-deleted'
      readonly row: StoreRow
      /** It goes on waiting to be deserialized. */
      readonly staysDirty?: true
      /** What was kept of earlier versions has to go. */
      readonly forget?: boolean
      /** It met what had arrived. */
      readonly met?: MetWaiting
      /** Versions that lost a conflict earlier, and for which the record has no room any more. */
      readonly dropped?: readonly string[]
    }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'kept'; readonly kept: KeptPending }

/**
 * Decides what a pending record is to the Store (protocol §7). Pure.
 *
 * @param instance - that saves it
 * @param maxRecordBytes - the most UTF-8 bytes of a record's JSON and conflicting data together
 */
export function decide(
  model: CompiledModel,
  candidate: Candidate,
  stored: Stored | undefined,
  filter: Filter | undefined,
  instance: string,
  maxRecordBytes: number = DEFAULT_MAX_RECORD_BYTES,
): Outcome {
  const recordId = candidate.morango_record_id
  // The id is that of a record of another model, which has nothing to do with this row.
  const taken = stored !== undefined && stored.model !== model.name
  if (candidate.morango_row_exists === null) {
    return taken ? { kind: 'nothing' } : decideGone(candidate, stored, filter)
  }
  let partition = stored?.partition ?? null
  try {
    const identity = model.identify(candidate)
    partition = identity.partition
    if (filter !== undefined && !filterContains(filter, partition)) {
      return { kind: 'kept', kept: { recordId, partition, failure: undefined } }
    }
    const selfRef = model.selfReference === undefined ? '' : textOrEmpty(candidate[model.selfReference])
    if (partition.includes(NOTHING)) {
      throw new FieldError('partition-denied', `Nobody may write in the partition "${partition}"`)
    }
    if (stored === undefined || candidate.morango_hard === 1) {
      if (stored !== undefined) requireSameIdentity(model, stored, identity)
      const text = newText(model, candidate, identity, instance)
      requireSize(maxRecordBytes, text)
      const row = storeRow(identity, text, { selfRef })
      // Deleted hard and created again since: nothing of what it was may be left.
      return stored === undefined ? { kind: 'created', row } : { kind: 'updated', row, forget: true }
    }
    requireSameIdentity(model, stored, identity)
    const fields = model.encode(candidate, identity)
    if (model.noteSums !== undefined) {
      const counter = savedAt(stored, instance)
      fields.push(model.noteSums({ before: stored.serialized, after: fields, instance, counter }))
    }
    const serialized = mergeObject(stored.serialized, fields)
    requireSize(maxRecordBytes, serialized)
    if (stored.deleted === 1 && stored.dirty !== null) return editedTooLate(identity, stored, serialized)
    const { kept: conflicting, dropped } = boundConflictingData(
      stored.dirty === null ? stored.conflicting : `${stored.serialized}\n${stored.conflicting}`,
    )
    requireSize(maxRecordBytes, serialized, conflicting)
    const row = storeRow(identity, serialized, { conflicting, selfRef })
    if (stored.dirty === null) return { kind: 'updated', row, dropped }
    return { kind: 'updated', row, dropped, met: { resolution: 'edit-kept', edited: serialized } }
  } catch (error) {
    return { kind: 'kept', kept: { recordId, partition, failure: failureOf(error) } }
  }
}

function savedAt({ instance: last, counter, history }: Stored, instance: string): number {
  if (last === instance) return counter
  return history === null || history === undefined ? 0 : (parseCounters(history)[instance] ?? 0)
}

function newText(
  model: CompiledModel,
  candidate: Candidate,
  identity: RecordIdentity,
  instance: string,
): string {
  if (model.noteSums === undefined) return model.encodeText(candidate, identity)
  const fields = model.encode(candidate, identity)
  return joinObject([...fields, model.noteSums({ before: undefined, after: fields, instance, counter: 0 })])
}

function decideGone(candidate: Candidate, stored: Stored | undefined, filter: Filter | undefined): Outcome {
  if (stored === undefined) return { kind: 'nothing' }
  const { id, partition, sourceId, selfRef, transfer } = stored
  if (filter !== undefined && !filterContains(filter, partition)) {
    return { kind: 'kept', kept: { recordId: id, partition, failure: undefined } }
  }
  const identity = { id, sourceId, partition }
  return candidate.morango_hard === 1 || stored.hardDeleted === 1
    ? { kind: 'hard-deleted', row: storeRow(identity, '{}', { selfRef, transfer, deleted: 1, hard: 1 }) }
    : {
        kind: 'deleted',
        row: storeRow(identity, stored.serialized, {
          conflicting: stored.conflicting,
          selfRef,
          transfer,
          deleted: 1,
        }),
      }
}

/**
 * The row is still there because a deletion that has arrived is not applied yet. As in any conflict of the two,
 * the deletion wins, and the edit goes to the conflicting data.
 */
function editedTooLate(identity: RecordIdentity, stored: Stored, edited: string): Outcome {
  const { serialized, selfRef, transfer, hardDeleted: hard } = stored
  const { kept, dropped } = boundConflictingData(`${edited}\n${stored.conflicting}`)
  const conflicting = hard === 1 ? '' : kept
  const row = storeRow(identity, serialized, { conflicting, selfRef, transfer, deleted: 1, hard })
  if (hard === 1) return { kind: 'updated', row, staysDirty: true }
  return { kind: 'updated', row, dropped, staysDirty: true, met: { resolution: 'deletion-won', edited } }
}

function requireSize(most: number, ...texts: readonly string[]): void {
  if (!exceedsBytes(most, ...texts)) return
  throw new FieldError(
    'record-too-large',
    `The record has more than ${most} bytes, which is all that may be sent: shorten what it holds`,
  )
}

function requireSameIdentity(model: CompiledModel, stored: Stored, identity: RecordIdentity): void {
  if (stored.model !== model.name) {
    throw new FieldError(
      'id-taken',
      `There is a record of the model ${stored.model} with this id. Delete the row and create it with another id`,
    )
  }
  if (stored.partition === identity.partition && stored.sourceId === identity.sourceId) return
  const what = stored.partition === identity.partition ? 'source id' : 'partition'
  throw new FieldError(
    'identity-changed',
    `The ${what} of a record cannot change after it was created. Delete the row and create another one instead.`,
  )
}

function storeRow(
  identity: RecordIdentity,
  serialized: string,
  rest: { conflicting?: string; selfRef: string; deleted?: Flag; hard?: Flag; transfer?: string | null },
): StoreRow {
  const values = [
    identity.id,
    identity.partition,
    identity.sourceId,
    serialized,
    rest.conflicting ?? '',
    rest.selfRef,
    rest.deleted ?? 0,
    rest.hard ?? 0,
    rest.transfer ?? null,
  ]
  return { partition: identity.partition, serialized, values }
}

function textOrEmpty(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

// A hook or a stored JSON text that cannot be read fails its own record only; anything else is no row's fault.
function failureOf(error: unknown): { code: string; message: string } {
  if (error instanceof FieldError) return { code: error.code, message: error.message }
  if (isMorangoError(error)) return { code: error.code, message: error.message }
  if (error instanceof Error)
    return { code: 'hook-failed', message: `A function of the model threw: ${error.message}` }
  return { code: 'hook-failed', message: 'A function of the model threw.' }
}

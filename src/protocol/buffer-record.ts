import { isHexUuid } from '../core/ids.ts'
import {
  MAX_COUNTER,
  MAX_HISTORY,
  MAX_MODEL_NAME,
  MAX_PARTITION,
  MAX_PROFILE,
  MAX_SOURCE_ID,
} from '../core/limits.ts'
import { isWithin } from './text-length.ts'
import type { BufferRecord } from '../session/ports.ts'
import type { FieldProblems } from './decode.ts'
import { WHOLE, malformedMessage, unexpectedReply } from './decode.ts'
import { FIELD_MESSAGES, tooLong } from './fields.ts'
import { quotedText } from './quoted-text.ts'

export type { BufferRecord } from '../session/ports.ts'

type HistoryEntry = BufferRecord['rmcb_list'][number]
type Unread<T> = { readonly [K in keyof T]?: unknown }
type Check = (value: unknown) => string | undefined

// Written by hand: chunks hold hundreds of thousands of records, and zod takes four times as long over one.

const RECORD_CHECKS: Readonly<Record<keyof BufferRecord, Check>> = {
  serialized: textProblem,
  deleted: flagProblem,
  last_saved_instance: idProblem,
  last_saved_counter: counterProblem,
  hard_deleted: flagProblem,
  partition: shortTextProblem(MAX_PARTITION),
  source_id: shortTextProblem(MAX_SOURCE_ID),
  model_name: shortTextProblem(MAX_MODEL_NAME),
  conflicting_serialized_data: textProblem,
  model_uuid: idProblem,
  transfer_session: idProblem,
  profile: shortTextProblem(MAX_PROFILE),
  rmcb_list: historyProblem,
  _self_ref_fk: shortTextProblem(MAX_PARTITION),
}

const HISTORY_CHECKS: Readonly<Record<keyof HistoryEntry, Check>> = {
  transfer_session: idProblem,
  model_uuid: idProblem,
  instance_id: idProblem,
  counter: counterProblem,
}

/** So many unknown keys are named. */
const MOST_NAMED = 5

const RECORD_KEYS = Object.keys(RECORD_CHECKS).length
const HISTORY_KEYS = Object.keys(HISTORY_CHECKS).length

/** What older peers leave out, and what it then is (protocol §4). */
const DEFAULTS = { hard_deleted: false, _self_ref_fk: '' } as const

/**
 * Reads the chunk that a client sent (protocol §4); as in the original, a record alone will do. An unknown key
 * is an error: dropping it would lose content. That a record's history names its own record and session is left
 * to the storage.
 *
 * @throws MorangoError `malformed-message`, with the first bad record's `index` and `fields` in its details
 */
export function decodeBufferRecords(value: unknown): BufferRecord[] {
  return readRecords(isObject(value) ? [value] : value, malformedMessage)
}

/**
 * Reads the records that a peer answered; as strict as {@link decodeBufferRecords}.
 *
 * @throws MorangoError `peer-protocol`
 */
export function decodeReceivedRecords(value: unknown, call: string): BufferRecord[] {
  return readRecords(value, (fields) => unexpectedReply(call, fields))
}

function readRecords(value: unknown, failure: RecordFailure): BufferRecord[] {
  if (!isList(value)) throw failure({ [WHOLE]: [FIELD_MESSAGES.list] }, {})
  return value.map((item, index) => readRecord(item, index, failure))
}

/** Makes the error for a record that is none. */
export type RecordFailure = (fields: FieldProblems, details: { index?: number }) => Error

/** Reads one record of a chunk; what older peers leave out is filled in. Throws what `failure` makes. */
export function readRecord(item: unknown, index: number, failure: RecordFailure): BufferRecord {
  if (isBufferRecord(item)) return item
  const completed = isObject(item) ? { ...DEFAULTS, ...item } : item
  if (isBufferRecord(completed)) return completed
  throw failure(problemsOf(completed), { index })
}

/** Whether `value` has exactly the keys of a buffer record, each of the right type. */
export function isBufferRecord(value: unknown): value is BufferRecord {
  if (!isObject(value)) return false
  const record: Unread<BufferRecord> = value
  const { model_uuid, transfer_session, rmcb_list } = record
  return (
    keyCount(value) === RECORD_KEYS &&
    isText(record.serialized) &&
    typeof record.deleted === 'boolean' &&
    isHexUuid(record.last_saved_instance) &&
    isCounter(record.last_saved_counter) &&
    typeof record.hard_deleted === 'boolean' &&
    isShortText(record.partition, MAX_PARTITION) &&
    isShortText(record.source_id, MAX_SOURCE_ID) &&
    isShortText(record.model_name, MAX_MODEL_NAME) &&
    isText(record.conflicting_serialized_data) &&
    isHexUuid(model_uuid) &&
    isHexUuid(transfer_session) &&
    isShortText(record.profile, MAX_PROFILE) &&
    isShortText(record._self_ref_fk, MAX_PARTITION) &&
    isList(rmcb_list) &&
    rmcb_list.length <= MAX_HISTORY &&
    rmcb_list.every((entry) => isHistoryEntry(entry, model_uuid, transfer_session))
  )
}

/** `modelUuid` and `transferSession`, if given, are ids, so that what repeats them needs no look. */
function isHistoryEntry(value: unknown, modelUuid?: string, transferSession?: string): value is HistoryEntry {
  if (!isObject(value)) return false
  const entry: Unread<HistoryEntry> = value
  return (
    keyCount(value) === HISTORY_KEYS &&
    isIdLike(entry.transfer_session, transferSession) &&
    isIdLike(entry.model_uuid, modelUuid) &&
    isHexUuid(entry.instance_id) &&
    isCounter(entry.counter)
  )
}

function isIdLike(value: unknown, known: string | undefined): boolean {
  return (known !== undefined && value === known) || isHexUuid(value)
}

function problemsOf(value: unknown): FieldProblems {
  return isObject(value) ? keyProblems(value, RECORD_CHECKS) : { [WHOLE]: [FIELD_MESSAGES.object] }
}

function keyProblems(value: object, checks: Readonly<Record<string, Check>>): FieldProblems {
  const entries = new Map<string, unknown>(Object.entries(value))
  const problems = new Map<string, readonly string[]>()
  for (const [key, check] of Object.entries(checks)) {
    const problem = check(entries.get(key))
    if (problem !== undefined) problems.set(key, [problem])
    entries.delete(key)
  }
  // A peer chooses these names, `__proto__` among them, how many they are, and that several are shown alike.
  for (const key of [...entries.keys()].slice(0, MOST_NAMED)) {
    const name = quotedText(key)
    problems.set(name, [...(problems.get(name) ?? []), FIELD_MESSAGES.unknown])
  }
  return Object.fromEntries(problems)
}

function historyProblem(value: unknown): string | undefined {
  if (!isList(value)) return absence(value) ?? FIELD_MESSAGES.list
  if (value.length > MAX_HISTORY) return `A history of at most ${MAX_HISTORY} entries is required.`
  const index = value.findIndex((entry) => !isHistoryEntry(entry))
  if (index < 0) return undefined
  const entry = value[index]
  const problems = isObject(entry) ? keyProblems(entry, HISTORY_CHECKS) : { entry: [FIELD_MESSAGES.object] }
  const [field, messages] = Object.entries(problems)[0] ?? ['entry', [FIELD_MESSAGES.object]]
  return `${index}.${field}: ${messages.join(' ')}`
}

function absence(value: unknown): string | undefined {
  if (value === undefined) return FIELD_MESSAGES.required
  return value === null ? FIELD_MESSAGES.null : undefined
}

function textProblem(value: unknown): string | undefined {
  return isText(value) ? undefined : (absence(value) ?? FIELD_MESSAGES.string)
}

function shortTextProblem(most: number): Check {
  return (value) => textProblem(value) ?? (isShortText(value, most) ? undefined : tooLong(most))
}

function flagProblem(value: unknown): string | undefined {
  return typeof value === 'boolean' ? undefined : (absence(value) ?? FIELD_MESSAGES.boolean)
}

function idProblem(value: unknown): string | undefined {
  return isHexUuid(value) ? undefined : (absence(value) ?? FIELD_MESSAGES.hexUuid)
}

function counterProblem(value: unknown): string | undefined {
  return isCounter(value) ? undefined : (absence(value) ?? `An integer from 0 to ${MAX_COUNTER} is required.`)
}

// PostgreSQL stores no NUL, and UTF-8 no lone surrogate: what cannot be kept as it came is refused.
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
}

function isShortText(value: unknown, most: number): value is string {
  return isText(value) && isWithin(value, most)
}

function isCounter(value: unknown): value is number {
  const isWhole = typeof value === 'number' && Number.isInteger(value)
  // JSON's -0 is equal to 0, but not written like it.
  return isWhole && value >= 0 && value <= MAX_COUNTER && !Object.is(value, -0)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value)
}

function keyCount(value: object): number {
  let count = 0
  // Unlike Object.keys this makes no list; what JSON.parse gives has no inherited keys.
  for (const _ in value) count++
  return count
}

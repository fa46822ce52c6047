import { MorangoError } from '../core/errors.ts'
import { filterContains } from '../core/filter.ts'
import { isHexUuid, recordIdMatches } from '../core/ids.ts'
import {
  DEFAULT_MAX_RECORD_BYTES,
  MAX_COUNTER,
  MAX_HISTORY,
  MAX_MODEL_NAME,
  MAX_PARTITION,
  MAX_PROFILE,
  MAX_SOURCE_ID,
} from '../core/limits.ts'
import { exceedsBytes } from '../core/text-bytes.ts'
import type { CompiledProfile } from '../models/compiled.ts'
import { isLongerThan } from '../models/kinds/codec.ts'
import type { BufferRecord, TransferContext } from '../session/ports.ts'

/** The columns of a record's label, with the most code points that peers can store (protocol §1). */
const LENGTHS = [
  ['partition', MAX_PARTITION],
  ['source_id', MAX_SOURCE_ID],
  ['model_name', MAX_MODEL_NAME],
  ['profile', MAX_PROFILE],
  ['_self_ref_fk', 32],
] as const

const TEXTS = [
  'partition',
  'source_id',
  'model_name',
  'profile',
  '_self_ref_fk',
  'serialized',
  'conflicting_serialized_data',
] as const

/**
 * Refuses a chunk in which any record is not what it says, not what this transfer may carry (protocol §4), or longer
 * than peers can store (§1, §11).
 *
 * @param maxRecordBytes - the most UTF-8 bytes of a record's JSON and conflicting data together
 * @throws MorangoError `invalid-buffer`
 */
export function checkIncoming(
  context: TransferContext,
  profile: CompiledProfile | undefined,
  records: readonly BufferRecord[],
  maxRecordBytes: number = DEFAULT_MAX_RECORD_BYTES,
): void {
  for (const record of records) {
    const problem = transferProblem(context, record) ?? sizeProblem(record, maxRecordBytes)
    const wrong = problem ?? labelProblem(profile, record) ?? historyProblem(context, record)
    if (wrong === undefined) continue
    const { model_uuid: id, model_name: model } = record
    throw new MorangoError('invalid-buffer', wrong, {
      details: { record: id, model, transferSession: context.transferSessionId },
    })
  }
}

function transferProblem(context: TransferContext, record: BufferRecord): string | undefined {
  if (record.transfer_session !== context.transferSessionId)
    return `Record ${record.model_uuid} names another transfer session.`
  if (!filterContains(context.filter, record.partition)) {
    return `Record ${record.model_uuid} has a partition outside the filter of the transfer.`
  }
  return undefined
}

// On SQLite as on PostgreSQL: what one peer keeps, every other must be able to keep.
function sizeProblem(record: BufferRecord, maxRecordBytes: number): string | undefined {
  const { model_uuid: id } = record
  for (const [name, most] of LENGTHS) {
    if (isLongerThan(record[name], most)) {
      return `Record ${id} has a ${name} of more than ${most} characters, which is all that peers can store.`
    }
  }
  if (record.rmcb_list.length > MAX_HISTORY) {
    return `Record ${id} has a history of more than ${MAX_HISTORY} instances.`
  }
  const { serialized, conflicting_serialized_data: conflicting } = record
  if (exceedsBytes(maxRecordBytes, serialized, conflicting)) {
    return `Record ${id} has more than ${maxRecordBytes} bytes, which is all that this peer takes.`
  }
  for (const name of TEXTS) {
    if (record[name].includes('\0') || !record[name].isWellFormed()) {
      return `Record ${id} has a ${name} with a character in it that databases cannot keep.`
    }
  }
  return undefined
}

function labelProblem(profile: CompiledProfile | undefined, record: BufferRecord): string | undefined {
  const { model_uuid: id, partition, source_id: sourceId, model_name: modelName } = record
  const model = profile?.model(modelName)
  const matches =
    model === undefined
      ? recordIdMatches({ id, partition, sourceId, modelName })
      : model.idMatches({ id, partition, sourceId })
  return matches
    ? undefined
    : `The id of record ${id} does not follow from its partition, source id and model.`
}

function historyProblem(context: TransferContext, record: BufferRecord): string | undefined {
  const { model_uuid: id } = record
  if (!isCounter(record.last_saved_counter) || !isHexUuid(record.last_saved_instance)) {
    return `Record ${id} has a version that no instance can have made.`
  }
  for (const entry of record.rmcb_list) {
    if (entry.transfer_session !== context.transferSessionId || entry.model_uuid !== id) {
      return `The history of record ${id} names another transfer session or record.`
    }
    if (!isCounter(entry.counter) || !isHexUuid(entry.instance_id)) {
      return `The history of record ${id} has a version that no instance can have made.`
    }
  }
  return undefined
}

function isCounter(counter: number): boolean {
  return Number.isInteger(counter) && counter >= 0 && counter <= MAX_COUNTER
}

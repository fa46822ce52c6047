import { recordId } from '../../src/core/ids.ts'
import type { BufferRecord } from '../../src/protocol/messages.ts'
import { newId } from './caller.ts'

const INSTANCE = 'a'.repeat(32)

/** A record for a push, correct but for what is in it. */
export function hostileRecord(
  transfer: string,
  partition: string,
  change: Partial<Pick<BufferRecord, 'serialized' | 'conflicting_serialized_data' | 'rmcb_list'>> = {},
): BufferRecord {
  const source_id = newId()
  const model_uuid = recordId(partition, source_id, 'book')
  return {
    serialized: '{}',
    deleted: false,
    last_saved_instance: INSTANCE,
    last_saved_counter: 1,
    hard_deleted: false,
    partition,
    source_id,
    model_name: 'book',
    conflicting_serialized_data: '',
    model_uuid,
    transfer_session: transfer,
    profile: 'library',
    rmcb_list: [{ transfer_session: transfer, model_uuid, instance_id: INSTANCE, counter: 1 }],
    _self_ref_fk: '',
    ...change,
  }
}

/** The same with a history of so many instances. */
export function withHistory(record: BufferRecord, instances: number): BufferRecord {
  const { transfer_session, model_uuid } = record
  const entries = Array.from({ length: instances }, (_, counter) => ({
    transfer_session,
    model_uuid,
    instance_id: hex(counter),
    counter: 1,
  }))
  return { ...record, rmcb_list: [...record.rmcb_list, ...entries.slice(1)] }
}

/** So many records. */
export function records(count: number, make: (index: number) => BufferRecord): BufferRecord[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** An instance's id. */
export function hex(value: number): string {
  return value.toString(16).padStart(32, '0')
}

import type { InsertTarget } from './insertion.ts'
import { type Flag, OWN_TYPES } from './schema.ts'

const COLUMNS = [
  'id',
  'profile',
  'model_name',
  'partition',
  'source_id',
  'serialized',
  'conflicting_serialized_data',
  'self_ref_fk',
  'last_saved_instance',
  'last_saved_counter',
  'deleted',
  'hard_deleted',
  'last_transfer_session_id',
] as const

/** The columns that a later version of a record replaces; the others never change. */
const CONTENT = COLUMNS.slice(COLUMNS.indexOf('serialized'))

/** The Store's columns, in the order in which rows are written. */
export const STORE_COLUMNS: readonly string[] = COLUMNS

/** `on conflict` part that takes a record's new version over an old one. */
export const STORE_REPLACE: string = `on conflict (id) do update set ${CONTENT.map((name) => `${name} = excluded.${name}`).join(', ')}`

/** Target for `insertRows`: new versions of Store records, whether they exist or not. */
export const STORE_UPSERT: InsertTarget = {
  table: 'morango_store',
  columns: COLUMNS,
  types: OWN_TYPES,
  suffix: STORE_REPLACE,
}

/** A record as the Store or a Buffer has it, with its history. */
export interface RecordRow {
  readonly id: string
  readonly profile: string
  readonly model_name: string
  readonly partition: string
  readonly source_id: string
  readonly serialized: string
  readonly conflicting_serialized_data: string
  readonly self_ref_fk: string
  readonly last_saved_instance: string
  readonly last_saved_counter: number
  readonly deleted: Flag
  readonly hard_deleted: Flag
  /** JSON object of the history, the last-saved pair left out; null when that leaves nothing. */
  readonly counters: string | null
}

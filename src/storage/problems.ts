import { type Kysely, sql } from 'kysely'
import type { Schema } from './schema.ts'

/** Something that waits for a mend: a row that cannot be serialized, or a record that cannot be applied. */
export interface Problem {
  readonly kind: 'not-serialized' | 'not-applied'
  readonly model: string
  readonly id: string
  /** Undefined while it is not known, because the row has none that is valid. */
  readonly partition: string | undefined
  readonly code: string
  readonly message: string
  readonly firstSeen: string
  readonly lastSeen: string
  readonly tries: number
}

/** Every problem of this database, the latest first. Each is tried again at every sync. */
export async function readProblems(db: Kysely<Schema>, options: { limit?: number } = {}): Promise<Problem[]> {
  const result = await sql<Omit<Problem, 'partition'> & { partition: string | null }>`
    select * from (
      select 'not-serialized' as kind, model_name as model, record_id as id, partition, error_code as code,
        error_message as message, first_failed_at as "firstSeen", last_failed_at as "lastSeen", tries
      from morango_pending where error_code is not null
      union all
      select 'not-applied', s.model_name, s.id, s.partition, d.error_code, d.error_message, d.first_failed_at,
        d.last_failed_at, d.tries
      from morango_dirty d join morango_store s on s.no = d.store_no where d.error_code is not null) x
    order by "lastSeen" desc, model, id limit ${options.limit ?? 1000}`.execute(db)
  return result.rows.map((row) => ({ ...row, partition: row.partition ?? undefined }))
}

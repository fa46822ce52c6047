import { type Kysely, sql } from 'kysely'
import type { CompiledModel, RecordIdentity } from '../models/compiled.ts'
import type { Row } from './decode-record.ts'
import type { Dialect } from './dialect.ts'
import { rowColumns } from './row-columns.ts'
import { RowsRefused } from './savepoint.ts'
import type { Schema } from './schema.ts'

/** Rows that turned out to be of other records than they were written for: what was written must be taken back. */
export class ContentElsewhere extends RowsRefused {
  /** The reasons, by id. */
  readonly reasons: ReadonlyMap<string, string>

  constructor(reasons: ReadonlyMap<string, string>) {
    super([...reasons.values()][0] ?? '')
    this.reasons = reasons
  }
}

/**
 * Reads rows just written as the serialization would, and holds each to the label of its record (protocol §11): by then
 * columns that the JSON lacked have their values, and the database has made of the others what it does.
 *
 * @throws ContentElsewhere
 */
export async function requireContent(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
): Promise<void> {
  const labels = rows.map(({ label }) => label)
  const reasons = await readElsewhere(trx, dialect, model, labels)
  if (reasons.size > 0) throw new ContentElsewhere(reasons)
}

/** Why the rows that are there now are not of the records with these labels, by id. Those that are not there are left out. */
export async function readElsewhere(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  labels: readonly RecordIdentity[],
): Promise<Map<string, string>> {
  const reasons = new Map<string, string>()
  if (labels.length === 0) return reasons
  const byId = new Map(labels.map((label) => [label.id, label]))
  const found = await sql<Readonly<Record<string, unknown>>>`
    select ${sql.raw(model.id.read('t.id'))} as morango_record_id, ${rowColumns(model, model.identityColumns)}
    from ${sql.id(model.table)} t where t.id in (
      select ${sql.raw(model.id.cast('value'))} from ${dialect.list(JSON.stringify([...byId.keys()]))})`.execute(
    trx,
  )
  for (const row of found.rows) {
    const id = String(row['morango_record_id'])
    const label = byId.get(id)
    const reason = label === undefined ? undefined : model.elsewhere({ ...row, id }, label)
    if (reason !== undefined) reasons.set(id, reason)
  }
  return reasons
}

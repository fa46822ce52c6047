import { type Kysely, sql } from 'kysely'
import type { CompiledForeignKey } from '../models/compiled.ts'
import type { Dialect } from './dialect.ts'
import type { Flag, Schema } from './schema.ts'

/** What a foreign key's target is, for the record that refers to it (protocol §9). */
export type Target =
  | { readonly kind: 'present' }
  | { readonly kind: 'deleted'; readonly hard: boolean }
  /** In the Store, but not (yet) applied here. */
  | { readonly kind: 'not-applied' }
  | { readonly kind: 'missing' }

/** Looks up the targets of one foreign key for a batch of records, in one statement. */
export async function readTargets(
  trx: Kysely<Schema>,
  dialect: Dialect,
  targetTable: string,
  ids: ReadonlySet<string>,
): Promise<Map<string, Target>> {
  if (ids.size === 0) return new Map()
  const result = await sql<{
    id: string
    stored: string | null
    deleted: Flag | null
    hard: Flag | null
    row: string | null
  }>`select l.value as id, s.id as stored, s.deleted, s.hard_deleted as hard, t.id as row
    from ${dialect.list(JSON.stringify([...ids]))} l
    left join morango_store s on s.id = l.value
    left join ${sql.id(targetTable)} t on t.id = l.value`.execute(trx)
  return new Map(
    result.rows.map(({ id, stored, deleted, hard, row }): [string, Target] => {
      if (deleted === 1) return [id, { kind: 'deleted', hard: hard === 1 }]
      if (row !== null) return [id, { kind: 'present' }]
      return [id, { kind: stored === null ? 'missing' : 'not-applied' }]
    }),
  )
}

/** The reason that a record with such a target waits with. */
export function targetFailure(
  key: CompiledForeignKey,
  id: string,
  target: Target | undefined,
): { code: string; message: string } {
  const what = `${key.column} refers to ${key.targetModel} ${id}`
  return target?.kind === 'not-applied'
    ? { code: 'foreign-key-waits', message: `${what}, which has arrived but could not be applied yet.` }
    : { code: 'foreign-key-missing', message: `${what}, which has not arrived here.` }
}

import { type Kysely, sql } from 'kysely'
import type { CompiledForeignKey, CompiledModel } from '../models/compiled.ts'
import { DELETED_BY, type DeletionSource } from './deletion-source.ts'
import type { Dialect } from './dialect.ts'
import type { Failure } from './dirty.ts'
import type { Flag, Schema } from './schema.ts'

/** What a foreign key's target is, for the record that refers to it (protocol §9). */
export type Target =
  | { readonly kind: 'present' }
  | {
      readonly kind: 'deleted'
      readonly hard: boolean
      /** Where the deletion comes from. */
      readonly source: DeletionSource
      /** Whether its row is still there: the deletion waits. */
      readonly stays: boolean
    }
  /** In the Store, but not (yet) applied here. */
  | { readonly kind: 'not-applied' }
  | { readonly kind: 'missing' }

/**
 * Rows found present in the course of one deserialization, by table: many records refer to the same few. To be
 * cleared when a row is deleted meanwhile.
 */
export type PresentRows = Map<string, Set<string>>

const MOST_REMEMBERED = 20_000

/** Looks up the targets of one foreign key for a batch of records, in one statement. */
export async function readTargets(
  trx: Kysely<Schema>,
  dialect: Dialect,
  { targetTable, targetId }: CompiledForeignKey,
  ids: ReadonlySet<string>,
  present: PresentRows,
): Promise<Map<string, Target>> {
  const known = present.get(targetTable) ?? new Set<string>()
  present.set(targetTable, known)
  if (known.size > MOST_REMEMBERED) known.clear()
  const targets = new Map<string, Target>()
  const unknown: string[] = []
  for (const id of ids) {
    if (known.has(id)) targets.set(id, { kind: 'present' })
    else unknown.push(id)
  }
  if (unknown.length === 0) return targets
  const result = await sql<{
    id: string
    stored: string | null
    deleted: Flag | null
    hard: Flag | null
    transfer: string | null
    partition: string | null
    row: string | null
  }>`select l.value as id, s.id as stored, s.deleted, s.hard_deleted as hard,
      ${DELETED_BY} as transfer, s.partition, ${sql.raw(targetId.read('t.id'))} as row
    from ${dialect.list(JSON.stringify(unknown))} l
    left join morango_store s on s.id = l.value
    left join ${sql.id(targetTable)} t on t.id = ${sql.raw(targetId.cast('l.value'))}`.execute(trx)
  for (const { id, stored, deleted, hard, row, transfer, partition } of result.rows) {
    if (deleted === 1) {
      const source = { transfer, partition: partition ?? '' }
      targets.set(id, { kind: 'deleted', hard: hard === 1, source, stays: row !== null })
    } else if (row === null) targets.set(id, { kind: stored === null ? 'missing' : 'not-applied' })
    else {
      known.add(id)
      targets.set(id, { kind: 'present' })
    }
  }
  return targets
}

/** The reason that a record with such a target waits with. */
export function targetFailure(
  key: CompiledForeignKey,
  id: string,
  target: Target | undefined,
): Omit<Failure, 'id'> {
  const what = `${key.column} refers to ${key.targetModel} ${id}`
  return target?.kind === 'not-applied'
    ? {
        code: 'foreign-key-waits',
        message: `${what}, which has arrived but could not be applied yet.`,
        waitsFor: id,
      }
    : { code: 'foreign-key-missing', message: `${what}, which has not arrived here.`, waitsFor: id }
}

/** All foreign keys of a model to what syncs, that to its own table among them. */
export function foreignKeysOf(model: CompiledModel): CompiledForeignKey[] {
  if (model.selfReference === undefined) return [...model.foreignKeys]
  const own = {
    column: model.selfReference,
    targetModel: model.name,
    targetTable: model.table,
    targetId: model.id,
  }
  return [...model.foreignKeys, own]
}

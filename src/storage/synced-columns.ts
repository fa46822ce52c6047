import type { Kysely } from 'kysely'
import type { CompiledModel, CompiledProfile } from '../models/compiled.ts'
import { getMeta, setMeta } from './migrations.ts'
import type { Schema } from './schema.ts'

/** The columns of a profile's models as they were synced last, with their kinds, by model. */
export type SyncedColumns = Readonly<Record<string, Readonly<Record<string, string>>>>

/** What `migrate` noted; undefined when it has not run for this profile. */
export async function notedColumns(db: Kysely<Schema>, profile: string): Promise<SyncedColumns | undefined> {
  const text = await getMeta(db, keyOf(profile))
  return text === undefined ? undefined : JSON.parse(text)
}

/** Notes the columns as they are now. */
export async function noteColumns(trx: Kysely<Schema>, { name, models }: CompiledProfile): Promise<void> {
  const text = JSON.stringify(Object.fromEntries(models.map((one) => [one.name, columnsOf(one)])))
  if ((await getMeta(trx, keyOf(name))) !== text) await setMeta(trx, keyOf(name), text)
}

/** How a model's columns differ from those noted, in words; undefined when they do not. */
export function changedColumns(noted: SyncedColumns | undefined, model: CompiledModel): string | undefined {
  const before = noted?.[model.name]
  if (before === undefined) return 'was never made ready to sync'
  const now = columnsOf(model)
  const names = (list: readonly string[]): string => list.map((name) => `"${name}"`).join(', ')
  const added = newColumns(noted, model)
  const gone = Object.keys(before).filter((name) => now[name] === undefined)
  const other = Object.keys(now).filter((name) => before[name] !== undefined && before[name] !== now[name])
  const parts = [
    ...(added.length > 0 ? [`has new columns: ${names(added)}`] : []),
    ...(gone.length > 0 ? [`has no columns any more that it had: ${names(gone)}`] : []),
    ...(other.length > 0 ? [`has columns of another kind than before: ${names(other)}`] : []),
  ]
  return parts.length === 0 ? undefined : parts.join(', ')
}

/** The columns of a model that were not synced when they were noted last. */
export function newColumns(noted: SyncedColumns | undefined, model: CompiledModel): string[] {
  const before = noted?.[model.name]
  if (before === undefined) return []
  return Object.keys(columnsOf(model)).filter((name) => before[name] === undefined)
}

function columnsOf({ columns }: CompiledModel): Record<string, string> {
  return Object.fromEntries(columns.map(({ name, kind }) => [name, kind]))
}

function keyOf(profile: string): string {
  return `columns:${profile}`
}

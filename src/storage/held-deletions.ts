import type { Kysely } from 'kysely'
import { getMeta, setMeta } from './migrations.ts'
import type { Schema } from './schema.ts'

/**
 * The models of a profile whose pending deletions wait to be confirmed, however few they are: a tool has rebuilt
 * the table, or one it refers to, and may have deleted rows by cascade.
 */
export async function heldDeletions(db: Kysely<Schema>, profile: string): Promise<ReadonlySet<string>> {
  const names = await getMeta(db, keyOf(profile))
  return new Set(names === undefined || names === '' ? [] : names.split('\n'))
}

/** Has the deletions of these models wait, and of those that do already. */
export async function holdDeletions(
  trx: Kysely<Schema>,
  profile: string,
  models: readonly string[],
): Promise<void> {
  if (models.length === 0) return
  const held = await heldDeletions(trx, profile)
  await setMeta(trx, keyOf(profile), [...new Set([...held, ...models])].join('\n'))
}

/** Lets all deletions of a profile go on: they were confirmed, or taken back. */
export async function releaseDeletions(trx: Kysely<Schema>, profile: string): Promise<void> {
  await trx.deleteFrom('morango_meta').where('key', '=', keyOf(profile)).execute()
}

function keyOf(profile: string): string {
  return `held_deletions:${profile}`
}

import type { Database } from '../../src/index.ts'
import { setMeta } from '../../src/storage/migrations.ts'

/** Who a peer is. */
export interface Identity {
  readonly instanceId: string
  readonly databaseId: string
}

/** Makes a new peer the one that another run, or another implementation, had. */
export async function fixIdentity({ kysely }: Database, identity: Identity): Promise<void> {
  const { instanceId: id, databaseId } = identity
  await kysely.updateTable('morango_instance').set({ id, database_id: databaseId }).execute()
  await setMeta(kysely, 'database_id', databaseId)
}

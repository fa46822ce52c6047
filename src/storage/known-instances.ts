import type { Kysely } from 'kysely'
import { instanceHash } from '../core/proquint.ts'
import type { Schema } from './schema.ts'

/** An instance as people call it. */
export interface InstanceName {
  readonly id: string
  /** The proquint of its id. */
  readonly name: string
  /** What it said of its machine in a session. */
  readonly hostname: string | undefined
  /** Whether it is this database, now or before it took a new id. */
  readonly own: boolean
}

/** What is known of an instance by sessions and by this database's own. */
export async function nameInstance(db: Kysely<Schema>, id: string): Promise<InstanceName> {
  const own = await db.selectFrom('morango_instance').select('id').where('id', '=', id).executeTakeFirst()
  const session = await db
    .selectFrom('morango_sync_session')
    .select(['client_instance_id', 'client_instance', 'server_instance'])
    .where((eb) => eb.or([eb('client_instance_id', '=', id), eb('server_instance_id', '=', id)]))
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  const about = session?.client_instance_id === id ? session.client_instance : session?.server_instance
  return { id, name: nameOf(id), hostname: hostnameIn(about ?? ''), own: own !== undefined }
}

/** The host name in an instance's description, as text of JSON. */
export function hostnameIn(description: string): string | undefined {
  try {
    const value: unknown = JSON.parse(description)
    if (typeof value !== 'object' || value === null || !('hostname' in value)) return undefined
    return typeof value.hostname === 'string' && value.hostname !== '' ? value.hostname : undefined
  } catch {
    return undefined
  }
}

/** The proquint of an instance id; ids of others may be anything. */
export function nameOf(id: string): string {
  return /^[0-9a-f]{8}/u.test(id) ? instanceHash(id) : id.slice(0, 11)
}

import type { Kysely } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import { MAX_COUNTER } from '../core/limits.ts'
import { instanceId, saltedHash } from '../core/ids.ts'
import type { Clock, Random } from '../core/ports.ts'
import type { Database } from './dialect.ts'
import { getMeta, setMeta } from './migrations.ts'
import type { InstanceTable, Schema } from './schema.ts'
import { inTransaction } from './transaction.ts'

/** What the machine says of itself, before hashing (protocol §1). */
export interface Machine {
  readonly systemId: string
  readonly nodeId: string
  /** For people at the other end: platform, host name, version of the runtime. */
  readonly about: Readonly<Record<string, string>>
}

/** A version stamp: which instance saved, at which counter. */
export interface Stamp {
  readonly instance: string
  readonly counter: number
}

const FINGERPRINT = 'fingerprint'
const DATABASE_ID = 'database_id'

/**
 * Makes sure that the database has a current instance that fits this machine and this copy of the database.
 * A copied file (other fingerprint) gets a new database id, and so a new instance id (protocol §1): two copies
 * that stamp records under one instance id would lose each other's changes.
 */
export async function openInstance(
  database: Database,
  ports: { readonly clock: Clock; readonly random: Random },
): Promise<void> {
  const { kysely, dialect, machine } = database
  const fingerprint = await database.fingerprint()
  await inTransaction(kysely, dialect, async (trx) => {
    const known = await getMeta(trx, DATABASE_ID)
    const copied = (await getMeta(trx, FINGERPRINT)) !== fingerprint
    const databaseId = known === undefined || copied ? ports.random.uuid() : known
    if (databaseId !== known) {
      await setMeta(trx, DATABASE_ID, databaseId)
      await setMeta(trx, FINGERPRINT, fingerprint)
    }
    await makeCurrent(trx, databaseId, saltedHash(machine.systemId), saltedHash(machine.nodeId), ports.clock)
  })
}

/** The instance that stamps now. @throws MorangoError `not-migrated` before {@link openInstance}. */
export async function currentInstance(db: Kysely<Schema>): Promise<InstanceTable> {
  const row = await db.selectFrom('morango_instance').selectAll().where('current', '=', 1).executeTakeFirst()
  if (row === undefined) throw noInstance()
  return row
}

/**
 * Raises the counter by one. Records stamped with the result must be written in the same transaction, which has the
 * database to itself; elsewhere the stamps of a turn are made before it begins.
 *
 * @throws MorangoError `counter-exhausted`, `not-migrated`
 */
export async function raiseCounter(trx: Kysely<Schema>): Promise<Stamp> {
  const row = await trx
    .updateTable('morango_instance')
    .set((eb) => ({ counter: eb('counter', '+', 1) }))
    .where('current', '=', 1)
    .where('counter', '<', MAX_COUNTER)
    .returning(['id', 'counter'])
    .executeTakeFirst()
  return row === undefined ? await cannotStamp(trx) : { instance: row.id, counter: row.counter }
}

/** Says why the counter could not be raised. @throws MorangoError `counter-exhausted`, `not-migrated` */
export async function cannotStamp(db: Kysely<Schema>): Promise<never> {
  const { id, counter } = await currentInstance(db)
  throw new MorangoError(
    'counter-exhausted',
    `Instance ${id} has used up its counters: it is at ${counter}`,
    {
      hint: 'Run `morango renew`: the database goes on as a new instance, and nothing is lost.',
    },
  )
}

/** Notes, before records leave, that a peer may soon hold versions of the current instance up to this stamp. */
export async function noteLeaving(db: Kysely<Schema>, { instance, counter }: Stamp): Promise<void> {
  await db
    .updateTable('morango_instance')
    .set({ exchanged_counter: counter })
    .where('id', '=', instance)
    .where('exchanged_counter', '<', counter)
    .execute()
}

/** Gives the database a new id and so a new current instance, in the caller's transaction. */
export async function renewInstance(
  trx: Kysely<Schema>,
  ports: { readonly clock: Clock; readonly random: Random },
): Promise<void> {
  const old = await currentInstance(trx)
  const databaseId = ports.random.uuid()
  await setMeta(trx, DATABASE_ID, databaseId)
  await makeCurrent(trx, databaseId, old.system_id, old.node_id, ports.clock)
}

async function makeCurrent(
  trx: Kysely<Schema>,
  databaseId: string,
  systemId: string,
  nodeId: string,
  clock: Clock,
): Promise<void> {
  const id = instanceId(databaseId, systemId, nodeId)
  // Whoever goes on with the former one, the original of a copy for one, may have sent all of it.
  await trx
    .updateTable('morango_instance')
    .set((eb) => ({ current: 0, exchanged_counter: eb.ref('counter') }))
    .where('id', '!=', id)
    .where('current', '=', 1)
    .execute()
  await trx
    .insertInto('morango_instance')
    .values({
      id,
      database_id: databaseId,
      system_id: systemId,
      node_id: nodeId,
      counter: 0,
      exchanged_counter: 0,
      current: 1,
      created_at: clock.now().toISOString(),
    })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ current: 1 }))
    .execute()
}

function noInstance(): MorangoError {
  return new MorangoError('not-migrated', 'This database has no Morango instance yet.', {
    hint: 'Run `morango migrate`, or call createMorango() with migrate: true.',
  })
}

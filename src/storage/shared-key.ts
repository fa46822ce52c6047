import type { Kysely } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import type { KeyPair, Signer } from '../core/ports.ts'
import type { Schema } from './schema.ts'

const ONLY_ROW = 1

/**
 * The key pair for certificate pushing (protocol §4, `publickey/`), made when it is first asked for. Of two
 * processes that make one at the same time, both get the one that was saved first.
 */
export async function sharedKeyPair(db: Kysely<Schema>, signer: Signer): Promise<KeyPair> {
  const present = await read(db)
  if (present !== undefined) return present
  const { privateKeyPem, publicKey } = await signer.generateKeyPair()
  await db
    .insertInto('morango_shared_key')
    .values({ id: ONLY_ROW, private_key: privateKeyPem, public_key: publicKey })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
  const saved = await read(db)
  if (saved === undefined) throw new MorangoError('database', 'The shared key was not saved')
  return saved
}

async function read(db: Kysely<Schema>): Promise<KeyPair | undefined> {
  const row = await db
    .selectFrom('morango_shared_key')
    .selectAll()
    .where('id', '=', ONLY_ROW)
    .executeTakeFirst()
  return row === undefined ? undefined : { privateKeyPem: row.private_key, publicKey: row.public_key }
}

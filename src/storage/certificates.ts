import { sql } from 'kysely'
import type { Kysely, Selectable } from 'kysely'
import type { Certificate } from '../core/certificate.ts'
import { MAX_CHAIN } from '../core/limits.ts'
import type { CertificateTable, Schema } from './schema.ts'

/** A certificate whose private key is here: it can sign sessions and further certificates. */
export interface HeldCertificate {
  readonly certificate: Certificate
  readonly privateKeyPem: string
}

/**
 * Saves a checked certificate. One that is known already stays as it is, but gains the private key if it had
 * none.
 */
export async function saveCertificate(
  db: Kysely<Schema>,
  certificate: Certificate,
  privateKeyPem?: string,
): Promise<void> {
  await saveCertificates(db, [certificate], privateKeyPem)
}

/**
 * Saves checked certificates, all of them or none. Those that are known already stay as they are.
 *
 * @param certificates - parents before children
 * @param privateKeyPem - of the last one, which gains it if it is known and had none
 */
export async function saveCertificates(
  db: Kysely<Schema>,
  certificates: readonly Certificate[],
  privateKeyPem?: string,
): Promise<void> {
  const last = certificates.at(-1)
  if (last === undefined) return
  const keyOf = (certificate: Certificate): string | null =>
    certificate === last ? (privateKeyPem ?? null) : null
  // One statement: it is done as a whole.
  await db
    .insertInto('morango_certificate')
    .values(
      certificates.map((certificate) => ({
        id: certificate.id,
        parent_id: certificate.parentId,
        profile: certificate.profile,
        salt: certificate.salt,
        scope_definition_id: certificate.scopeDefinitionId,
        scope_version: certificate.scopeVersion,
        scope_params: certificate.scopeParams,
        public_key: certificate.publicKey,
        serialized: certificate.serialized,
        signature: certificate.signature,
        private_key: keyOf(certificate),
      })),
    )
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
  if (privateKeyPem === undefined) return
  await db
    .updateTable('morango_certificate')
    .set({ private_key: privateKeyPem })
    .where('id', '=', last.id)
    .where('private_key', 'is', null)
    .execute()
}

/** The certificate of that id, whether its private key is here or not. */
export async function getCertificate(db: Kysely<Schema>, id: string): Promise<Certificate | undefined> {
  const row = await selectById(db, id)
  return row === undefined ? undefined : toCertificate(row)
}

/** Those of the certificates that are here, by id. */
export async function getCertificates(
  db: Kysely<Schema>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Certificate>> {
  if (ids.length === 0) return new Map()
  const rows = await db.selectFrom('morango_certificate').selectAll().where('id', 'in', ids).execute()
  return new Map(rows.map((row) => [row.id, toCertificate(row)]))
}

/** The certificate of that id with its private key; undefined when either is not here. */
export async function getHeldCertificate(
  db: Kysely<Schema>,
  id: string,
): Promise<HeldCertificate | undefined> {
  const row = await selectById(db, id)
  return row === undefined ? undefined : toHeld(row)
}

/** All certificates whose private key is here, by id; those of one profile when it is named. */
export async function heldCertificates(db: Kysely<Schema>, profile?: string): Promise<HeldCertificate[]> {
  let query = db.selectFrom('morango_certificate').selectAll().where('private_key', 'is not', null)
  if (profile !== undefined) query = query.where('profile', '=', profile)
  const rows = await query.orderBy('id').execute()
  return rows.flatMap((row) => toHeld(row) ?? [])
}

/** A certificate that is known here, with the last session that a peer opened with it. */
export interface CertificateInUse {
  readonly certificate: Certificate
  readonly held: boolean
  readonly lastUsed: { readonly at: string; readonly address: string; readonly hostname: string } | undefined
}

/** All certificates known here, by id. */
export async function knownCertificates(db: Kysely<Schema>): Promise<CertificateInUse[]> {
  const rows = await db.selectFrom('morango_certificate').selectAll().orderBy('id').execute()
  const uses = await sql<{ id: string; at: string; address: string; instance: string }>`
    select id, at, address, instance from (
      select client_certificate_id as id, last_activity_at as at, client_ip as address, client_instance as instance,
        row_number() over (partition by client_certificate_id order by last_activity_at desc) as place
      from morango_sync_session where is_server = 1) x
    where place = 1`.execute(db)
  const useOf = new Map(uses.rows.map((use) => [use.id, use]))
  return rows.map((row) => {
    const use = useOf.get(row.id)
    return {
      certificate: toCertificate(row),
      held: row.private_key !== null,
      lastUsed:
        use === undefined
          ? undefined
          : { at: use.at, address: use.address, hostname: hostnameIn(use.instance) },
    }
  })
}

/** What a peer called itself; empty when it did not. */
function hostnameIn(instance: string): string {
  try {
    const said: unknown = JSON.parse(instance)
    const name = typeof said === 'object' && said !== null && 'hostname' in said ? said.hostname : ''
    return typeof name === 'string' ? name : ''
  } catch {
    // A peer may say anything here, or nothing.
    return ''
  }
}

/**
 * A certificate with its ancestors, root first; empty when one of them is not known. Of a chain that is longer than any
 * peer takes only so much that this can be seen.
 */
export async function certificateChain(db: Kysely<Schema>, id: string): Promise<Certificate[]> {
  const chain: Certificate[] = []
  for (let next: string | null = id; next !== null && chain.length <= MAX_CHAIN;) {
    // Each link names the next one.
    // oxlint-disable-next-line no-await-in-loop
    const certificate: Certificate | undefined = await getCertificate(db, next)
    if (certificate === undefined) return []
    chain.unshift(certificate)
    next = certificate.parentId
  }
  return chain
}

/**
 * The certificates below a primary partition, the root itself among them, whose private key is here
 * (protocol §4, `?primary_partition=`).
 */
export async function heldDescendants(
  db: Kysely<Schema>,
  primaryPartition: string,
  profile?: string,
): Promise<HeldCertificate[]> {
  const ids = await sql<{ id: string }>`
    with recursive family (id) as (
      select id from morango_certificate where id = ${primaryPartition} and parent_id is null
      union
      select child.id from morango_certificate child join family on child.parent_id = family.id
    )
    select id from family`.execute(db)
  const family = new Set(ids.rows.map((row) => row.id))
  const held = await heldCertificates(db, profile)
  return held.filter(({ certificate }) => family.has(certificate.id))
}

type Row = Selectable<CertificateTable>

async function selectById(db: Kysely<Schema>, id: string): Promise<Row | undefined> {
  return db.selectFrom('morango_certificate').selectAll().where('id', '=', id).executeTakeFirst()
}

function toHeld(row: Row): HeldCertificate | undefined {
  return row.private_key === null
    ? undefined
    : { certificate: toCertificate(row), privateKeyPem: row.private_key }
}

function toCertificate(row: Row): Certificate {
  return {
    id: row.id,
    parentId: row.parent_id,
    profile: row.profile,
    salt: row.salt,
    scopeDefinitionId: row.scope_definition_id,
    scopeVersion: row.scope_version,
    scopeParams: row.scope_params,
    publicKey: row.public_key,
    serialized: row.serialized,
    signature: row.signature,
  }
}

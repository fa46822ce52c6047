import { sql } from 'kysely'
import { createRootCertificate } from '../../src/core/certificate-create.ts'
import type { OwnCertificate } from '../../src/core/certificate-create.ts'
import type { KeyPair } from '../../src/core/ports.ts'
import { joinObject, mergeObject, pythonStringify, splitObject } from '../../src/core/python-json.ts'
import type { JsonValue, RawField } from '../../src/core/python-json.ts'
import { createSigner } from '../../src/crypto/webcrypto-signer.ts'
import { createMorango } from '../../src/index.ts'
import type { Database, Morango, MorangoOptions } from '../../src/index.ts'
import { saveCertificate } from '../../src/storage/certificates.ts'
import { createMemoryPeer } from '../../src/transport/memory.ts'
import { makeTestDatabase } from '../databases/index.ts'
import { facilityData, tablesFor } from './histories-app.ts'
import { text } from './histories-golden.ts'
import type { Step } from './histories-golden.ts'
import { fixIdentity, type Identity } from './identity.ts'

/** One of ours in the place of one of the original's. */
export interface HistoryPeer {
  readonly name: string
  readonly database: Database
  readonly morango: Morango
  readonly destroy: () => Promise<void>
}

/** How peers talk; by default as those of the recordings. */
export type Settings = Pick<MorangoOptions, 'withoutCapabilities' | 'chunkSize'>

/** The root certificate that all peers hold. */
export async function rootOf(keyPair: KeyPair): Promise<OwnCertificate> {
  const definition = facilityData('').scopes['rootcert']
  if (definition === undefined) throw new Error('no root scope')
  return await createRootCertificate({ signer: createSigner(), definition, keyPair })
}

/** A peer with empty tables, its identity fixed. */
export async function createHistoryPeer(
  dataset: string,
  root: OwnCertificate,
  identity: Identity & { readonly name: string },
  settings: Settings = {},
): Promise<HistoryPeer> {
  const store = await makeTestDatabase()
  const database = await store.open()
  for (const statement of tablesFor(database.dialect.name)) await sql.raw(statement).execute(database.kysely)
  const profiles = [facilityData(dataset)] as const
  const morango = await createMorango({ database, profiles, migrate: true, ...settings })
  await fixIdentity(database, identity)
  await saveCertificate(database.kysely, root.certificate, root.privateKeyPem)
  return { name: identity.name, database, morango, destroy: async () => await store.destroy() }
}

/** What a step did: for a sync the transfers, `pull 2, push 0`; an id for a creation. */
export interface Done {
  readonly outcome?: string
  readonly created?: string
  /** Transfer session ids, and what the dumps say instead. */
  readonly transferLabels?: ReadonlyMap<string, string>
}

/** Plays one step with our peers. */
export async function playStep(
  peers: ReadonlyMap<string, HistoryPeer>,
  step: Step,
  index: number,
): Promise<Done> {
  const { morango, database } = find(peers, step.peer)
  const db = database.kysely
  const { args } = step
  switch (step.op) {
    case 'create': {
      const { model, _morango_source_id: sourceId, ...values } = args
      const given = model === 'user' ? { id: text(step.result ?? sourceId) } : {}
      const random =
        model === 'contentinteractionlog' && sourceId !== undefined
          ? { morango_source_id: text(sourceId) }
          : {}
      const row = morango.record(text(model), { ...values, ...given, ...random })
      const entries = Object.entries(row)
      const columns = entries.map(([column]) => sql.id(column))
      const parameters = entries.map(([, value]) => toColumn(database, value))
      await sql`insert into ${sql.id(text(model))} (${sql.join(columns)}) values (${sql.join(parameters)})`.execute(
        db,
      )
      return { created: row.id }
    }
    case 'update': {
      const { model, id, ...values } = args
      const sets = Object.entries(values).map(
        ([column, value]) => sql`${sql.id(column)} = ${toColumn(database, value)}`,
      )
      await sql`update ${sql.id(text(model))} set ${sql.join(sets)} where id = ${text(id)}`.execute(db)
      return {}
    }
    case 'delete':
      if (args['hard'] === true) await morango.deleteHard(text(args['model']), [text(args['id'])])
      else await sql`delete from ${sql.id(text(args['model']))} where id = ${text(args['id'])}`.execute(db)
      return {}
    case 'serialize':
      await morango.serialize()
      return {}
    case 'deserialize':
      await morango.deserialize()
      return {}
    case 'sync':
      return await playSync(peers, step, index)
    case 'store_patch':
    case 'store_raw':
    case 'store_dirty':
      await editStore(database, step)
      return {}
    case 'forget_dmc': {
      const instance = args['instance_id']
      let query = db.deleteFrom('morango_database_max_counter')
      if (typeof instance === 'string') query = query.where('instance_id', '=', instance)
      await query.execute()
      return {}
    }
    default:
      throw new Error(`unknown op ${step.op}`)
  }
}

async function playSync(peers: ReadonlyMap<string, HistoryPeer>, step: Step, index: number): Promise<Done> {
  const { morango } = find(peers, step.peer)
  const { args } = step
  const server = find(peers, text(args['server']))
  const { capabilities } = morango
  const peer = createMemoryPeer(server.morango.service(), { capabilities, name: `memory:${server.name}` })
  const directions = Array.isArray(args['directions']) ? args['directions'].map(text) : []
  const transferLabels = new Map<string, string>()
  const outcomes: string[] = []
  const direction = directions.length === 2 ? 'both' : directions[0] === 'push' ? 'push' : 'pull'
  const report = await morango.sync(peer, { filter: text(args['filter']), direction })
  for (const transfer of report.transfers) {
    transferLabels.set(transfer.id, `step${index}-${transfer.direction}`)
    outcomes.push(`${transfer.direction} ${transfer.recordsTotal}`)
  }
  return { transferLabels, outcome: outcomes.join(', ') }
}

async function editStore({ kysely }: Database, { op, args }: Step): Promise<void> {
  const id = text(args['id'])
  const stored = await kysely
    .selectFrom('morango_store')
    .select(['no', 'serialized', 'model_name'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (stored === undefined) throw new Error(`no store record ${id}`)
  let { serialized } = stored
  if (op === 'store_raw') {
    serialized = text(args['serialized'])
  } else {
    const removed = Array.isArray(args['remove']) ? args['remove'] : []
    const kept = splitObject(serialized).filter(({ key }) => !removed.includes(key))
    serialized = mergeObject(joinObject(kept), rawFields(args['set']))
  }
  await kysely.updateTable('morango_store').set({ serialized }).where('id', '=', id).execute()
  if (op !== 'store_dirty') return
  await kysely
    .insertInto('morango_dirty')
    .values({ model_name: stored.model_name, store_no: stored.no, deleted: 0, tries: 0 })
    .onConflict((on) => on.doNothing())
    .execute()
}

function rawFields(value: JsonValue | undefined): RawField[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).map(([key, member]) => ({ key, raw: pythonStringify(member) }))
}

function toColumn({ dialect }: Database, value: unknown): string | number | boolean | null {
  if (typeof value === 'boolean' && dialect.name === 'sqlite') return value ? 1 : 0
  if (typeof value === 'boolean') return value
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  throw new Error(`no column value: ${JSON.stringify(value)}`)
}

function find(peers: ReadonlyMap<string, HistoryPeer>, name: string): HistoryPeer {
  const peer = peers.get(name)
  if (peer === undefined) throw new Error(`no peer ${name}`)
  return peer
}

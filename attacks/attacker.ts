import { randomBytes } from 'node:crypto'
import {
  type Certificate,
  type CertificateItem,
  certificateText,
  certificateToItem,
} from '../src/core/certificate.ts'
import { certificateId, recordId } from '../src/core/ids.ts'
import { MAX_COUNTER_JUMP } from '../src/core/limits.ts'
import type { KeyPair } from '../src/core/ports.ts'
import type { BufferRecord } from '../src/session/ports.ts'
import { keyPair, signer } from './keys.ts'
import type { OwnGround } from './snapshot.ts'
import { type Answer, send, type Sent } from './wire.ts'
import { type Area, USERS, type World } from './world.ts'

/** 32 random hex digits. */
export const hex = (): string => randomBytes(16).toString('hex')

/** An id that is a letter again and again. */
export const letters = (letter: string): string => letter.repeat(32)

/** What an attacker was given. */
interface Given {
  readonly user: string
  readonly scope: string
  readonly params: (world: World) => Readonly<Record<string, string>>
  readonly reads: readonly Area[]
  readonly write: (world: World) => readonly string[]
  readonly key: number
}

/** Who attacks: by what was given to it, or a caller who was given nothing. */
export type AttackerName = 'reader' | 'writer' | 'sampler' | 'ann' | 'bee' | 'nobody'

const dataset = ({ root }: World): { readonly dataset_id: string } => ({ dataset_id: root })

const GIVEN: Readonly<Record<Exclude<AttackerName, 'nobody'>, Given>> = {
  /** May read what is shared, and write nothing. */
  reader: {
    user: 'rita',
    scope: 'reader',
    params: dataset,
    reads: ['shared', 'sample'],
    write: () => [],
    key: 1,
  },
  /** May write samples, and read nothing. */
  writer: {
    user: 'walt',
    scope: 'writer',
    params: dataset,
    reads: [],
    write: ({ root }) => [`${root}:shared:sample`],
    key: 2,
  },
  /** May read and write samples. */
  sampler: {
    user: 'sam',
    scope: 'sampler',
    params: dataset,
    reads: ['sample'],
    write: ({ root }) => [`${root}:shared:sample`],
    key: 3,
  },
  /** One user: reads what is shared, and has rows of her own. */
  ann: {
    user: 'ann',
    scope: 'one-person',
    params: (world) => ({ ...dataset(world), person_id: world.ann }),
    reads: ['shared', 'sample', 'ann'],
    write: ({ root, ann }) => [`${root}:user:${ann}`],
    key: 4,
  },
  /** Owns the other dataset on the same server. */
  bee: {
    user: 'bee',
    scope: 'full',
    params: ({ other }) => ({ dataset_id: other }),
    reads: ['other'],
    write: ({ other }) => [other],
    key: 0,
  },
}

/** A certificate with its key. */
export interface Held {
  readonly certificate: Certificate
  readonly key: KeyPair
}

/** How a certificate below another one differs from an honest one. */
export interface Forgery {
  readonly scope?: string
  readonly params?: string
  readonly publicKey?: string
  readonly profile?: string
  readonly parentId?: string | null
  readonly version?: number
  readonly salt?: string
  readonly id?: string
  /** The key that signs, instead of the parent's. */
  readonly signedBy?: string
  readonly signature?: string
  /** The text, as it comes of the fields. */
  readonly text?: (text: string) => string
}

/** What is said when a session is opened, instead of what is so. */
export type SessionLies = Readonly<Record<string, unknown>> & {
  readonly chain?: readonly CertificateItem[]
  readonly signWith?: string
  readonly signed?: (nonce: string, id: string) => string
}

/** Speaks the protocol by hand, so that it may say anything. */
export interface Attacker {
  readonly name: AttackerName
  readonly world: World
  readonly held: Held
  /** From the root down to its own. */
  readonly chain: readonly CertificateItem[]
  readonly reads: readonly Area[]
  readonly ground: OwnGround
  /** The instance that it says it is. */
  readonly instance: string
  /** Everything that was answered. */
  readonly answers: Answer[]
  send(request: Sent): Promise<Answer>
  nonce(): Promise<string>
  /** A signing request, with its own password unless another one is given. */
  request(wish: Readonly<Record<string, unknown>>, credentials?: string): Promise<Answer>
  /** A certificate below its own. */
  below(forgery?: Forgery, parent?: Held): Promise<Held>
  /** Asks for a sync session. */
  open(lies?: SessionLies): Promise<Answer & { readonly id: string }>
  /** A sync session that is open. */
  session(): Promise<string>
  /** Closes all sessions that it has opened. */
  leave(): Promise<void>
  /** Asks for a transfer. */
  transfer(wish: TransferWish): Promise<Answer & { readonly id: string }>
  patch(transfer: string, changes: Readonly<Record<string, unknown>>): Promise<Answer>
  sendChunk(transfer: string, records: readonly object[], more?: Partial<Sent>): Promise<Answer>
  page(transfer: string, query?: string): Promise<Answer>
  end(transfer: string): Promise<Answer>
  /** A whole pull. */
  pull(wish: Omit<TransferWish, 'push'>): Promise<Answer[]>
  /** A whole push: the records, made once the transfer's id is known. */
  push(wish: PushWish): Promise<Answer[]>
  /** An honest claim of all that it has ever saved, and of so many more. */
  claims(more: number): object
  /** A record as it travels. */
  record(change: RecordWish): BufferRecord
}

/** A transfer as it is asked for; a session of its own is opened where none is named. */
export interface TransferWish {
  readonly filter: unknown
  readonly push?: unknown
  readonly fsic?: unknown
  readonly session?: string
  readonly id?: string
  readonly more?: Readonly<Record<string, unknown>>
  readonly capabilities?: string
}

export interface PushWish extends Omit<TransferWish, 'push'> {
  readonly records: readonly RecordWish[]
  /** What is announced, if not what is sent. */
  readonly total?: number
  /** Instead of an honest claim of the versions that are sent. */
  readonly fsic?: unknown
}

/** What is said of a record; the rest is as an honest peer would send it. */
export type RecordWish = Partial<BufferRecord> & {
  /** Its history: instances and counters. */
  readonly history?: Readonly<Record<string, number>>
  /** Members as they stand on the wire, whatever they are. */
  readonly raw?: Readonly<Record<string, unknown>>
}

const BOTH_FORMATS = 'FSIC_V2_FORMAT'

/** The attacker with what it was given: a certificate that it asked for as anybody does. */
export async function createAttacker(world: World, name: AttackerName): Promise<Attacker> {
  const given: Given = name === 'nobody' ? nobody() : GIVEN[name]
  const key = keyPair(given.key)
  const answers: Answer[] = []
  const instance = hex()
  let saved = 0

  async function sendOne(request: Sent): Promise<Answer> {
    const answer = await send(world.url, request)
    answers.push(answer)
    return answer
  }

  async function request(wish: Readonly<Record<string, unknown>>, credentials?: string): Promise<Answer> {
    const basic = Buffer.from(credentials ?? `${given.user}:${USERS[given.user] ?? ''}`).toString('base64')
    const fields = {
      parent: name === 'bee' ? world.other : world.root,
      profile: 'survey',
      scope_definition: given.scope,
      scope_version: 1,
      scope_params: JSON.stringify(given.params(world)),
      public_key: key.publicKey,
    }
    const headers = { authorization: `Basic ${basic}` }
    return await sendOne({ method: 'POST', path: 'certificates/', headers, body: { ...fields, ...wish } })
  }

  const held = name === 'nobody' ? await selfMade(key) : await legitimate()
  const certificates = new Set([held.certificate.id])
  const chain: CertificateItem[] = [...(await ancestors()), certificateToItem(held.certificate)]

  async function legitimate(): Promise<Held> {
    const answer = await request({})
    if (answer.status !== 201) throw new Error(`${name} gets no certificate: ${answer.text}`)
    const item: CertificateItem = JSON.parse(answer.text)
    return { key, certificate: certificateOf(item) }
  }

  async function ancestors(): Promise<CertificateItem[]> {
    if (name === 'nobody') return []
    const root = name === 'bee' ? world.other : world.root
    const { text } = await sendOne({ path: `certificates/?ancestors_of=${root}` })
    const items: CertificateItem[] = JSON.parse(text)
    return items
  }

  async function nonce(): Promise<string> {
    const { text } = await sendOne({ method: 'POST', path: 'nonces/' })
    const { id }: { id: string } = JSON.parse(text)
    return id
  }

  async function below(forgery: Forgery = {}, parent: Held = held): Promise<Held> {
    const made = await forge(parent, given.scope, JSON.stringify(given.params(world)), forgery)
    certificates.add(made.certificate.id)
    return made
  }

  async function open(lies: SessionLies = {}): Promise<Answer & { readonly id: string }> {
    const { chain: said = chain, signWith = key.privateKeyPem, signed, ...more } = lies
    const given = typeof more['nonce'] === 'string' ? more['nonce'] : await nonce()
    const id = typeof more['id'] === 'string' ? more['id'] : hex()
    opened.push(id)
    const answer = await sendOne({
      method: 'POST',
      path: 'syncsessions/',
      headers: { 'x-morango-capabilities': BOTH_FORMATS },
      body: {
        id,
        server_certificate_id: name === 'bee' ? world.other : world.root,
        client_certificate_id: said.at(-1)?.id,
        profile: 'survey',
        certificate_chain: JSON.stringify(said),
        connection_path: world.url,
        instance: JSON.stringify({ id: instance, platform: 'x', hostname: 'x' }),
        nonce: given,
        client_ip: '',
        server_ip: '',
        signature: await signer.sign(signWith, signed?.(given, id) ?? `${given}:${id}`),
        ...more,
      },
    })
    return { ...answer, id }
  }

  async function leave(): Promise<void> {
    lasting = undefined
    for (const id of new Set(opened.splice(0))) {
      // oxlint-disable-next-line no-await-in-loop
      await send(world.url, { method: 'DELETE', path: `syncsessions/${encodeURIComponent(id)}/` })
    }
  }

  const opened: string[] = []
  let lasting: string | undefined
  async function session(): Promise<string> {
    if (lasting !== undefined) return lasting
    const answer = await open()
    if (answer.status !== 201) throw new Error(`${name} opens no session: ${answer.text}`)
    lasting = answer.id
    return lasting
  }

  async function transfer(wish: TransferWish): Promise<Answer & { readonly id: string }> {
    const { filter, push = false, fsic = '{}', more, capabilities = BOTH_FORMATS } = wish
    const id = wish.id ?? hex()
    const answer = await sendOne({
      method: 'POST',
      path: 'transfersessions/',
      headers: { 'x-morango-capabilities': capabilities },
      body: {
        id,
        filter,
        push,
        sync_session_id: wish.session ?? (await session()),
        client_fsic: typeof fsic === 'string' ? fsic : JSON.stringify(fsic),
        ...more,
      },
    })
    return { ...answer, id }
  }

  const calls = {
    patch: (id: string, changes: Readonly<Record<string, unknown>>, capabilities = BOTH_FORMATS) =>
      sendOne({
        method: 'PATCH',
        path: `transfersessions/${id}/`,
        headers: { 'x-morango-capabilities': capabilities },
        body: changes,
      }),
    sendChunk: (id: string, records: readonly object[], more: Partial<Sent> = {}) =>
      sendOne({ method: 'POST', path: `buffers/?transfer_session_id=${id}`, body: records, ...more }),
    page: (id: string, query = '&limit=500') =>
      sendOne({ path: `buffers/?transfer_session_id=${id}${query}` }),
    end: (id: string, capabilities = BOTH_FORMATS) =>
      sendOne({
        method: 'DELETE',
        path: `transfersessions/${id}/`,
        headers: { 'x-morango-capabilities': capabilities },
      }),
  }

  return {
    name,
    world,
    held,
    chain,
    reads: given.reads,
    ground: { write: given.write(world), certificates },
    instance,
    answers,
    send: sendOne,
    nonce,
    request,
    below,
    open,
    session,
    leave,
    transfer,
    ...calls,
    async pull(wish) {
      const started = await transfer({ ...wish, push: false })
      if (started.status >= 300) return [started]
      return [started, await calls.page(started.id), await calls.end(started.id, wish.capabilities)]
    },
    async push({ records, total, ...wish }) {
      const made = records.map((one) => record(one))
      const fsic = wish.fsic ?? claimsOf(String(wish.filter), made)
      const started = await transfer({ ...wish, fsic, push: true })
      if (started.status >= 300) return [started]
      const { id } = started
      const chunk = made.map((one, index) => ({ ...ofTransfer(one, id), ...records[index]?.raw }))
      const announced = await calls.patch(id, { records_total: total ?? chunk.length }, wish.capabilities)
      const sent = chunk.length === 0 ? announced : await calls.sendChunk(id, chunk)
      if (sent.status >= 300) return [started, announced, sent]
      return [started, announced, sent, await calls.end(id, wish.capabilities)]
    },
    claims: (more) => ({ super: {}, sub: { [given.write(world)[0] ?? '']: { [instance]: saved + more } } }),
    record,
  }

  function record(change: RecordWish): BufferRecord {
    // Who says that it is further goes on from there: what it saves at a lower counter would count as known.
    const own = change.last_saved_instance === undefined ? change.last_saved_counter : undefined
    saved = own !== undefined && own < MAX_COUNTER_JUMP ? Math.max(saved, own) : saved + 1
    return recordOf(world, instance, { last_saved_counter: saved, ...change })
  }
}

/** That all versions of these records are here: what an honest producer says, so that they travel on. */
function claimsOf(filter: string, records: readonly BufferRecord[]): object {
  const counters: Record<string, number> = {}
  for (const { last_saved_instance: id, last_saved_counter: counter } of records) {
    counters[id] = Math.max(counters[id] ?? 0, counter)
  }
  return { super: {}, sub: { [filter]: counters } }
}

function nobody(): Given {
  return { user: 'nobody', scope: 'full', params: () => ({}), reads: [], write: () => [], key: 2 }
}

/** A root certificate of one's own, which no server knows. */
export async function selfMade(key: KeyPair): Promise<Held> {
  const id = certificateId(key.publicKey, 'survey', '')
  return await forge(
    { certificate: certificateOf(undefined), key },
    'full',
    JSON.stringify({ dataset_id: id }),
    {
      parentId: null,
      salt: '',
      publicKey: key.publicKey,
    },
  )
}

async function forge(parent: Held, scope: string, params: string, forgery: Forgery): Promise<Held> {
  const { publicKey = keyPair(1).publicKey, profile = 'survey', salt = hex() } = forgery
  const fields = {
    id: forgery.id ?? certificateId(publicKey, profile, salt),
    parentId: forgery.parentId === undefined ? parent.certificate.id : forgery.parentId,
    profile,
    salt,
    scopeDefinitionId: forgery.scope ?? scope,
    scopeVersion: forgery.version ?? 1,
    scopeParams: forgery.params ?? params,
    publicKey,
  }
  const text = certificateText(fields)
  const serialized = forgery.text?.(text) ?? text
  const signature =
    forgery.signature ?? (await signer.sign(forgery.signedBy ?? parent.key.privateKeyPem, serialized))
  return { certificate: { ...fields, serialized, signature }, key: keyPair(1) }
}

function certificateOf(item: CertificateItem | undefined): Certificate {
  return {
    id: item?.id ?? '',
    parentId: item?.parent ?? null,
    profile: item?.profile ?? '',
    salt: item?.salt ?? '',
    scopeDefinitionId: item?.scope_definition ?? '',
    scopeVersion: item?.scope_version ?? 1,
    scopeParams: item?.scope_params ?? '',
    publicKey: item?.public_key ?? '',
    serialized: item?.serialized ?? '',
    signature: item?.signature ?? '',
  }
}

/** A sample of the attacked dataset, unless something else is said. */
function recordOf(world: World, instance: string, wish: RecordWish): BufferRecord {
  const { root } = world
  const model_name = wish.model_name ?? 'sample'
  const source_id = wish.source_id ?? `planted-${hex().slice(0, 8)}`
  const partition = wish.partition ?? `${root}:shared:sample`
  const id = wish.model_uuid ?? recordId(partition, source_id, model_name)
  const last_saved_instance = wish.last_saved_instance ?? instance
  const last_saved_counter = wish.last_saved_counter ?? 1
  const content = { id, _morango_source_id: source_id, _morango_partition: partition, dataset_id: root }
  const history = { [last_saved_instance]: last_saved_counter, ...wish.history }
  const entries = Object.entries(history).map(([instance_id, counter]) => ({
    transfer_session: '',
    model_uuid: id,
    instance_id,
    counter,
  }))
  return {
    serialized: wish.serialized ?? JSON.stringify({ ...content, label: source_id, text: 'planted' }),
    deleted: wish.deleted ?? false,
    last_saved_instance,
    last_saved_counter,
    hard_deleted: wish.hard_deleted ?? false,
    partition,
    source_id,
    model_name,
    conflicting_serialized_data: wish.conflicting_serialized_data ?? '',
    model_uuid: id,
    transfer_session: wish.transfer_session ?? '',
    profile: wish.profile ?? 'survey',
    rmcb_list: wish.rmcb_list ?? entries,
    _self_ref_fk: wish._self_ref_fk ?? '',
  }
}

function ofTransfer(record: BufferRecord, id: string): BufferRecord {
  return {
    ...record,
    transfer_session: record.transfer_session || id,
    rmcb_list: record.rmcb_list.map((entry) => ({
      ...entry,
      transfer_session: entry.transfer_session || id,
    })),
  }
}

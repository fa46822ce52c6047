import { createSigner } from '../../src/crypto/webcrypto-signer.ts'
import { certificateToItem } from '../../src/core/certificate.ts'
import type { OwnCertificate } from '../../src/core/certificate-create.ts'
import type { Target } from './target.ts'

const signer = createSigner()

/** What was sent, and what came back. */
export interface Sent {
  readonly bytes: number
  readonly status: number
  readonly body: string
}

/** A request of an attacker's. */
export interface Hostile {
  readonly method?: 'POST' | 'PATCH' | 'DELETE' | 'GET'
  /** Below `api/morango/v1/`. */
  readonly path: string
  /** Bytes as they are, or what becomes JSON. */
  readonly body?: Uint8Array<ArrayBuffer> | object | undefined
  readonly contentType?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** What the attacker says that he can: no asynchronous operations, so that one request is one stage, or several. */
const CAPABILITIES = ['GZIP_BUFFER_POST', 'FSIC_V2_FORMAT', 'PACKED_BUFFERS', 'PACKED_BUFFERS_ZSTD']

/** Sends a request, whatever it is. */
export async function send(target: Pick<Target, 'url'>, request: Hostile): Promise<Sent> {
  const { method = 'POST', path, body, contentType = 'application/json', headers = {} } = request
  const bytes = body === undefined || body instanceof Uint8Array ? body : bytesOf(JSON.stringify(body))
  const response = await fetch(new URL(`api/morango/v1/${path}`, target.url), {
    method,
    headers: {
      'content-type': contentType,
      'x-morango-capabilities': CAPABILITIES.join(' '),
      ...headers,
    },
    ...(bytes !== undefined && { body: bytes }),
  }).catch((error: unknown) => {
    // The server may close the connection before it has all of a body that it refuses.
    if (error instanceof TypeError) return new Response(undefined, { status: 418 })
    throw error
  })
  const text = await response.text().catch(() => '')
  return { bytes: bytes?.length ?? 0, status: response.status === 418 ? 0 : response.status, body: text }
}

/** The same, where it must succeed: what an attack begins with. */
export async function sendWell(target: Pick<Target, 'url'>, request: Hostile): Promise<object> {
  const { status, body } = await send(target, request)
  if (status >= 300) throw new Error(`${request.path}: ${status} ${body.slice(0, 500)}`)
  const answer: unknown = body === '' ? {} : JSON.parse(body)
  return typeof answer === 'object' && answer !== null ? answer : {}
}

/** The message that opens a sync session. */
export async function sessionRequest(
  target: Target,
  chain: readonly OwnCertificate[] = target.attacker.chain,
): Promise<Record<string, string>> {
  const nonce = String(Reflect.get(await sendWell(target, { path: 'nonces/', body: {} }), 'id'))
  const id = newId()
  const own = chain.at(-1) ?? target.attacker.chain[1]
  return {
    id,
    server_certificate_id: target.attacker.root,
    client_certificate_id: own.certificate.id,
    profile: own.certificate.profile,
    certificate_chain: JSON.stringify(chain.map(({ certificate }) => certificateToItem(certificate))),
    connection_path: target.url,
    instance: '{"id":"x"}',
    nonce,
    client_ip: '',
    server_ip: '',
    signature: await signer.sign(own.privateKeyPem, `${nonce}:${id}`),
  }
}

/** Opens a sync session. @returns its id */
export async function signIn(target: Target): Promise<string> {
  const body = await sessionRequest(target)
  await sendWell(target, { path: 'syncsessions/', body })
  return String(body['id'])
}

/** The message that begins a transfer. */
export function transferRequest(
  session: string,
  filter: string,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return { id: newId(), filter, push: true, sync_session_id: session, client_fsic: '{}', ...more }
}

/** Signs in and begins a push, ready for records. @returns the transfer's id */
export async function beginPush(target: Target, records = 10_000_000): Promise<string> {
  const session = await signIn(target)
  const body = transferRequest(session, target.attacker.prefix, { records_total: records })
  await sendWell(target, { path: 'transfersessions/', body })
  return String(body['id'])
}

/** 32 hex digits that nobody has used. */
export function newId(): string {
  return crypto.randomUUID().replaceAll('-', '')
}

/** As UTF-8. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

import { certificateToItem } from '../core/certificate.ts'
import { MorangoError } from '../core/errors.ts'
import { effectiveCapabilities } from '../protocol/capabilities.ts'
import type { NonceReply } from '../protocol/messages.ts'
import type { CallOptions, Peer } from '../protocol/peer.ts'
import { saveCertificates } from '../storage/certificates.ts'
import { deactivateSyncSession, insertSyncSession } from '../storage/sync-sessions.ts'
import type { SyncSessionRecord } from '../storage/sync-sessions.ts'
import { ahead } from './ahead.ts'
import { chooseCertificates } from './certificate-choice.ts'
import type { CertificatePair, CertificateWishes } from './certificate-choice.ts'
import type { ClientContext } from './client-context.ts'
import { instanceIdIn } from './instance-info.ts'
import { retryDelay } from './machine.ts'
import { failureEvent } from './peer-outcome.ts'
import { requireUsableChains } from './refused-certificates.ts'
import { saysCertificateUnknown, sessionText } from './serve-sync-sessions.ts'

const CONNECT_TRIES = 3

/** A sync session in the hands of its client. */
export interface SyncSession {
  readonly record: SyncSessionRecord
  readonly peer: Peer
  /** Tells the peer that it is over, and forgets it here even when the peer cannot be told. */
  close(options?: CallOptions): Promise<void>
}

/** What both sides can. */
export async function negotiate(
  context: ClientContext,
  peer: Peer,
  options?: CallOptions,
): Promise<ReadonlySet<string>> {
  const { capabilities } = await retrying(context, () => peer.info(options), options)
  return effectiveCapabilities(context.capabilities, new Set(capabilities))
}

/**
 * Opens a sync session: certificates, nonce, POST, and the check of the server's signature (protocol §4). The nonce and
 * the certificates are asked for while the answer to {@link negotiate} is on its way: over a poor link each way there
 * and back counts.
 *
 * @param negotiated - of {@link negotiate}; when that fails, so does this
 * @throws MorangoError `unknown-certificate`, `certificate-refused`, `session-signature-invalid`, `peer-error`, `network`
 */
export async function openSession(
  context: ClientContext,
  peer: Peer,
  wishes: CertificateWishes,
  negotiated: Promise<ReadonlySet<string>>,
  options?: CallOptions,
): Promise<SyncSession> {
  const choose = (useMemory: boolean): Promise<CertificatePair> =>
    retrying(context, () => chooseCertificates(context, peer, wishes, useMemory, options), options)
  let early: Promise<NonceReply> | undefined = ahead(peer.createNonce(options))
  const chosen = ahead(choose(true))
  const capabilities = await negotiated
  const pair = await chosen
  const enterWith = (certificates: CertificatePair): Promise<SyncSession> =>
    retrying(
      context,
      async () => {
        const nonce = early ?? peer.createNonce(options)
        early = undefined
        return await enter(context, peer, certificates, (await nonce).id, capabilities, options)
      },
      options,
    )
  try {
    return await enterWith(pair)
  } catch (error) {
    if (!pair.remembered || !saysCertificateUnknown(error)) throw error
    return await enterWith(await choose(false))
  }
}

/** One try, with a nonce and an id of its own: a lost answer leaves a session that nobody uses. */
async function enter(
  context: ClientContext,
  peer: Peer,
  { client, clientChain, server: serverChain }: CertificatePair,
  nonce: string,
  capabilities: ReadonlySet<string>,
  options?: CallOptions,
): Promise<SyncSession> {
  const { db, signer, random, clock } = context
  const chain = clientChain.certificates
  const server = serverChain.leaf
  await requireUsableChains(context, chain, serverChain.certificates)
  const instance = await context.instanceInfo()
  const clientInstance = JSON.stringify(instance)
  const id = random.uuid()
  const text = sessionText(nonce, id)
  const reply = await peer.createSyncSession(
    {
      id,
      server_certificate_id: server.id,
      client_certificate_id: client.certificate.id,
      profile: client.certificate.profile,
      certificate_chain: chain.map(certificateToItem),
      connection_path: peer.url,
      instance: clientInstance,
      nonce,
      client_ip: '',
      server_ip: '',
      signature: await signer.sign(client.privateKeyPem, text),
    },
    options,
  )
  if (!(await signer.verify(server.publicKey, text, reply.signature))) {
    throw new MorangoError(
      'session-signature-invalid',
      `${peer.url} did not sign with the certificate asked for`,
      {
        hint: 'Whoever answers there does not hold the private key: do not sync with it.',
      },
    )
  }
  const now = clock.now().toISOString()
  const record: SyncSessionRecord = {
    id,
    profile: client.certificate.profile,
    isServer: false,
    active: true,
    clientCertificateId: client.certificate.id,
    serverCertificateId: server.id,
    connectionPath: peer.url,
    clientIp: '',
    serverIp: '',
    clientInstanceId: instance.id,
    clientInstance,
    serverInstanceId: instanceIdIn(reply.server_instance),
    serverInstance: reply.server_instance,
    capabilities,
    createdAt: now,
    lastActivityAt: now,
  }
  await saveCertificates(db, serverChain.unsaved)
  await insertSyncSession(db, record)
  return sessionOf(context, peer, record)
}

/** The handle of a session that is kept in the database. */
export function sessionOf(context: ClientContext, peer: Peer, record: SyncSessionRecord): SyncSession {
  return {
    record,
    peer,
    async close(options) {
      // All that it was for is done, or given up: not worth a failure. Idle sessions are closed in time.
      await peer.closeSyncSession(record.id, options).catch(() => {})
      await deactivateSyncSession(context.db, record.id, context.clock.now().toISOString())
    },
  }
}

/** Tries a call of the beginning a few times: it costs little, and nothing is there yet to go on with. */
export async function retrying<T>(
  { sleep }: ClientContext,
  call: () => Promise<T>,
  options?: CallOptions,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      return await call()
    } catch (error) {
      if (tries >= CONNECT_TRIES || failureEvent(error, false).kind !== 'lost') throw error
    }
    // oxlint-disable-next-line no-await-in-loop
    await sleep(retryDelay(tries), options?.signal)
  }
}

import { isMorangoError } from '../core/errors.ts'
import { networkOf } from '../core/network.ts'
import { effectiveCapabilities } from '../protocol/capabilities.ts'
import type { NonceReply, SyncSessionReply, SyncSessionRequest } from '../protocol/messages.ts'
import type { Caller } from '../protocol/peer.ts'
import { getHeldCertificate, saveCertificates } from '../storage/certificates.ts'
import type { HeldCertificate } from '../storage/certificates.ts'
import { consumeNonce, isNonceLive, saveNonce, trimNonces } from '../storage/nonces.ts'
import type { Owner } from '../storage/quota-usage.ts'
import { insertSyncSession } from '../storage/sync-sessions.ts'
import { answerError, fieldError } from './answers.ts'
import { requireRoomForChain } from './certificate-room.ts'
import { knownChain } from './certificates.ts'
import type { CheckedChain } from './certificates.ts'
import { instanceIdIn } from './instance-info.ts'
import { allowance, limitsOf } from './quotas.ts'
import { requireUsableChains } from './refused-certificates.ts'
import { chainRefusal, readClientChain } from './serve-certificates.ts'
import { databaseTime } from './service-context.ts'
import type { ServiceOptions } from './service-context.ts'
import { ownerFor } from './service-room.ts'
import type { ServiceRoom } from './service-room.ts'

/** Answers `POST nonces/` (protocol §4). */
export async function giveNonce(options: ServiceOptions, caller: Caller): Promise<NonceReply> {
  const { db, random } = options
  const network = networkOf(caller.ip)
  const nonce = { id: random.uuid(), createdAt: await databaseTime(options), ip: caller.ip, network }
  const { nonces } = limitsOf(options.limits)
  await saveNonce(db, nonce, allowance(nonces, network))
  await trimNonces(db, nonces.inAll)
  return { id: nonce.id, timestamp: nonce.createdAt.toISOString(), ip: nonce.ip }
}

/** The text that both sides of a sync session sign (protocol §4). */
export function sessionText(nonce: string, sessionId: string): string {
  return `${nonce}:${sessionId}`
}

/**
 * Answers `POST syncsessions/`, checking in the order of protocol §4. Until all is right nothing of the client's chain
 * is kept, and nothing at all of one under another root than this server's certificate.
 *
 * @throws MorangoError `certificate-chain-invalid`, `unknown-certificate`, `certificate-refused`, `certificate-profile-invalid`,
 * `unknown-profile`, `session-signature-invalid`, `too-many-requests`, `nonce-invalid`
 */
export async function openSyncSession(
  options: ServiceOptions,
  request: SyncSessionRequest,
  caller: Caller,
  room: ServiceRoom,
): Promise<SyncSessionReply> {
  const { db, signer } = options
  await requireRoomForChain(options, request.certificate_chain)
  const offered = await readClientChain(options, request.certificate_chain, request.client_certificate_id)
  const client = offered.leaf
  // Without the private key this side could not answer.
  const server = await getHeldCertificate(db, request.server_certificate_id)
  const own = await knownChain(options, request.server_certificate_id)
  if (server === undefined || own === undefined) {
    throw answerError('unknown-certificate', 'Requested certificate does not exist!')
  }
  await requireUsableChains(options, offered.certificates, own.certificates)
  const { profile } = server.certificate
  if (client.profile !== profile) {
    throw answerError('unknown-certificate', 'Both certificates must be of the same profile')
  }
  if (!options.profiles.includes(profile)) {
    throw answerError('unknown-profile', `The profile ${profile} does not sync here`)
  }
  if (offered.root.id !== own.root.id) {
    throw chainRefusal('It is not under the root certificate of the server certificate')
  }
  const text = sessionText(request.nonce, request.id)
  if (!(await signer.verify(client.publicKey, text, request.signature))) {
    throw answerError('session-signature-invalid', 'Client certificate failed to verify signature')
  }
  const owner = ownerFor(idsOf(offered), idsOf(own), caller)
  // Not spent yet: whoever is told to wait comes again with it. Nor may one that was spent make room.
  const live = await isNonceLive(db, request.nonce, await databaseTime(options))
  const leave = live ? await room.forSession(owner) : undefined
  try {
    return await enter(options, request, caller, { offered, server, owner })
  } finally {
    leave?.()
  }
}

function idsOf({ certificates }: CheckedChain): string[] {
  return certificates.map(({ id }) => id)
}

/** Spends the nonce and makes the session. */
async function enter(
  options: ServiceOptions,
  request: SyncSessionRequest,
  caller: Caller,
  {
    offered,
    server,
    owner,
  }: { readonly offered: CheckedChain; readonly server: HeldCertificate; readonly owner: Owner },
): Promise<SyncSessionReply> {
  const { db, signer, clock } = options
  if (!(await consumeNonce(db, request.nonce, await databaseTime(options)))) {
    throw answerError('nonce-invalid', 'Nonce is not valid')
  }
  const { profile } = server.certificate
  const text = sessionText(request.nonce, request.id)
  const instance = await options.instanceInfo()
  const now = clock.now().toISOString()
  const inserted = await insertSyncSession(db, {
    id: request.id,
    profile,
    isServer: true,
    active: true,
    clientCertificateId: offered.leaf.id,
    serverCertificateId: server.certificate.id,
    connectionPath: request.connection_path,
    clientIp: caller.ip,
    serverIp: caller.serverIp === '' ? request.server_ip : caller.serverIp,
    clientInstanceId: instanceIdIn(request.instance),
    clientInstance: request.instance,
    serverInstanceId: instance.id,
    serverInstance: JSON.stringify(instance),
    capabilities: effectiveCapabilities(options.capabilities, caller.capabilities),
    createdAt: now,
    lastActivityAt: now,
    clientBranch: owner.branch,
    clientNetwork: owner.network,
  })
  if (!inserted) throw fieldError('id', 'A sync session with this id already exists.')
  await saveCertificates(db, offered.unsaved)
  return {
    signature: await signer.sign(server.privateKeyPem, text),
    server_instance: JSON.stringify(instance),
  }
}

/** Whether a client's attempt failed because the server does not hold the certificate it was asked for. */
export function saysCertificateUnknown(error: unknown): boolean {
  return (
    isMorangoError(error, 'peer-error') &&
    error.details['status'] === 400 &&
    error.details['body'] === 'Requested certificate does not exist!'
  )
}

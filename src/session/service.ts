import { instanceHash } from '../core/proquint.ts'
import type { MorangoInfo } from '../protocol/messages.ts'
import type { Service } from '../protocol/peer.ts'
import { getHeldCertificate } from '../storage/certificates.ts'
import { certificateToItem } from '../core/certificate.ts'
import { sharedKeyPair } from '../storage/shared-key.ts'
import { deactivateSyncSession, getSyncSession } from '../storage/sync-sessions.ts'
import { admitApplicant } from './admission.ts'
import { createHousekeeping } from './housekeeping.ts'
import { limitsOf } from './quotas.ts'
import { createBufferService } from './serve-buffers.ts'
import { acceptPushedChain, listCertificates, requirePushing, signCertificate } from './serve-certificates.ts'
import { giveNonce, openSyncSession } from './serve-sync-sessions.ts'
import { createTransferService } from './serve-transfers.ts'
import { timestamp } from './service-context.ts'
import type { ServiceOptions } from './service-context.ts'
import { createServiceRoom } from './service-room.ts'
import { createSignInThrottle } from './sign-in-throttle.ts'
import { createStagePlaces } from './stage-places.ts'
import { createStageRunner } from './stage-runner.ts'
import { syncSessionView } from './views.ts'

export type {
  Authorization,
  CertificateApplicant,
  CertificateWish,
  ServiceOptions,
} from './service-context.ts'

/**
 * The server's side of the protocol (protocol §4, §5) on one database. Everything it knows of a session is in
 * that database, so it may be stopped and started at any time.
 */
export function createService(options: ServiceOptions): Service {
  const { db, clock, signer } = options
  const limits = limitsOf(options.limits)
  const room = createServiceRoom(options, limits, (id) => closeSession(id))
  const runner = createStageRunner(options, createStagePlaces(limits))
  const transfers = createTransferService(options, runner, room)
  const buffers = createBufferService(options, transfers, room)
  const signIns = createSignInThrottle(options, limits)
  const housekeeping = createHousekeeping(options, limits)

  return {
    info: () => info(options),
    createNonce(caller) {
      // Beside the call, which need not wait for it.
      void housekeeping.lookAround()
      return giveNonce(options, caller)
    },
    certificates: (query) => listCertificates(options, query),

    async certificate(id) {
      const held = await getHeldCertificate(db, id)
      return held === undefined ? undefined : certificateToItem(held.certificate)
    },

    async requestCertificate(request, credentials, caller) {
      await signIns.signIn(caller.ip, credentials, () =>
        admitApplicant(options, request, credentials, caller),
      )
      return signCertificate(options, request)
    },

    async publicKey() {
      requirePushing(options)
      const { publicKey } = await sharedKeyPair(db, signer)
      return publicKey
    },

    async pushCertificateChain(chain) {
      requirePushing(options)
      await acceptPushedChain(options, chain)
    },

    createSyncSession: (request, caller) => openSyncSession(options, request, caller, room),

    async syncSession(id) {
      const session = await getSyncSession(db, id)
      return session?.active === true && session.isServer ? syncSessionView(session) : undefined
    },

    closeSyncSession: closeSession,

    createTransferSession: transfers.create,
    transferSession: transfers.view,
    updateTransferSession: transfers.update,
    closeTransferSession: transfers.close,
    admitBuffers: (transferSessionId) => buffers.admit(transferSessionId),
    receiveBuffers: (records) => buffers.receive(records),
    buffers: (query) => buffers.page(query),
  }

  async function closeSession(id: string): Promise<boolean> {
    const session = await getSyncSession(db, id)
    if (session?.active !== true || !session.isServer) return false
    // Its transfers go first: a session that is still active is found again by the cleaning up.
    await transfers.dropAll(id)
    return deactivateSyncSession(db, id, timestamp(clock))
  }
}

async function info(options: ServiceOptions): Promise<MorangoInfo> {
  const instance = await options.instanceInfo()
  return {
    ...options.customInfo,
    instance_hash: instanceHash(instance.id),
    instance_id: instance.id,
    system_os: (instance['platform'] ?? '').split('-')[0] ?? '',
    version: options.version,
    capabilities: [...options.capabilities],
  }
}

import { MorangoError } from '../core/errors.ts'
import { throwIfAborted } from './abort.ts'
import { decodeReply } from './decode.ts'
import type { Exchange, PeerMethod, WireReply, WireRequest } from './exchange.ts'
import {
  certificateItemSchema,
  certificateListSchema,
  decodeBufferPage,
  encodeCertificateChain,
  encodeSyncSessionRequest,
  morangoInfoSchema,
  nonceReplySchema,
  publicKeySchema,
  syncSessionReplySchema,
  syncSessionViewSchema,
  transferSessionViewSchema,
} from './messages.ts'
import type { CertificateQuery } from './messages.ts'
import type { CallOptions, Peer } from './peer.ts'
import { peerError } from './peer-error.ts'

/**
 * The calls of a {@link Peer} over anything that carries them: puts each message into its wire form and reads
 * the answer. Errors in answers become `peer-error`.
 */
export function createPeerCalls(exchange: Exchange): Omit<Peer, 'url' | 'traffic'> {
  async function answered(
    method: PeerMethod,
    args: readonly unknown[],
    request: WireRequest,
    options: CallOptions | undefined,
  ): Promise<WireReply> {
    const signal = options?.signal
    throwIfAborted(signal)
    return await exchange({ method, args, request, signal })
  }

  async function succeeded(...call: Parameters<typeof answered>): Promise<unknown> {
    const reply = await answered(...call)
    if (!isSuccess(reply)) throw peerError(reply, call[0])
    return reply.body
  }

  /** Undefined when there is no such thing. */
  async function found(
    ...call: Parameters<typeof answered>
  ): Promise<{ readonly body: unknown } | undefined> {
    const reply = await answered(...call)
    if (reply.status === 404) return undefined
    if (!isSuccess(reply)) throw peerError(reply, call[0])
    return { body: reply.body }
  }

  return {
    async info(options) {
      const request: WireRequest = { method: 'GET', resource: 'morangoinfo', id: '1' }
      return decodeReply(morangoInfoSchema, await succeeded('info', [], request, options), 'GET morangoinfo/')
    },
    async createNonce(options) {
      const request: WireRequest = { method: 'POST', resource: 'nonces' }
      return decodeReply(
        nonceReplySchema,
        await succeeded('createNonce', [], request, options),
        'POST nonces/',
      )
    },
    async certificates(query, options) {
      const request: WireRequest = { method: 'GET', resource: 'certificates', query: encodeQuery(query) }
      const body = await succeeded('certificates', [query], request, options)
      return decodeReply(certificateListSchema, body, 'GET certificates/')
    },
    async requestCertificate(message, credentials, options) {
      const request: WireRequest = { method: 'POST', resource: 'certificates', body: message, credentials }
      const body = await succeeded('requestCertificate', [message, credentials], request, options)
      return decodeReply(certificateItemSchema, body, 'POST certificates/')
    },
    async publicKey(options) {
      const request: WireRequest = { method: 'GET', resource: 'publickey' }
      const body = await succeeded('publicKey', [], request, options)
      // The original, until somebody has made its shared key.
      if (Array.isArray(body) && body.length === 0) {
        throw new MorangoError('peer-protocol', 'The peer has no key yet for certificates pushed to it', {
          hint: 'Who runs it has to make one: with Python Morango by SharedKey.get_or_create_shared_key().',
          details: { call: 'GET publickey/' },
        })
      }
      return decodeReply(publicKeySchema, body, 'GET publickey/')
    },
    async pushCertificateChain(chain, options) {
      const body = encodeCertificateChain(chain)
      const request: WireRequest = { method: 'POST', resource: 'certificatechain', body }
      await succeeded('pushCertificateChain', [chain], request, options)
    },
    async createSyncSession(message, options) {
      const body = encodeSyncSessionRequest(message)
      const request: WireRequest = { method: 'POST', resource: 'syncsessions', body }
      const reply = await succeeded('createSyncSession', [message], request, options)
      return decodeReply(syncSessionReplySchema, reply, 'POST syncsessions/')
    },
    async syncSession(id, options) {
      const request: WireRequest = { method: 'GET', resource: 'syncsessions', id }
      const reply = await found('syncSession', [id], request, options)
      return reply && decodeReply(syncSessionViewSchema, reply.body ?? {}, 'GET syncsessions/')
    },
    async closeSyncSession(id, options) {
      const request: WireRequest = { method: 'DELETE', resource: 'syncsessions', id }
      await succeeded('closeSyncSession', [id], request, options)
    },
    async createTransferSession(message, options) {
      const request: WireRequest = { method: 'POST', resource: 'transfersessions', body: message }
      const body = await succeeded('createTransferSession', [message], request, options)
      return decodeReply(transferSessionViewSchema, body, 'POST transfersessions/')
    },
    async transferSession(id, options) {
      const request: WireRequest = { method: 'GET', resource: 'transfersessions', id }
      const reply = await found('transferSession', [id], request, options)
      return reply && decodeReply(transferSessionViewSchema, reply.body, 'GET transfersessions/')
    },
    async updateTransferSession(id, patch, options) {
      const request: WireRequest = { method: 'PATCH', resource: 'transfersessions', id, body: patch }
      const body = await succeeded('updateTransferSession', [id, patch], request, options)
      return decodeReply(transferSessionViewSchema, body, 'PATCH transfersessions/')
    },
    async closeTransferSession(id, options) {
      const request: WireRequest = { method: 'DELETE', resource: 'transfersessions', id }
      await succeeded('closeTransferSession', [id], request, options)
    },
    async sendBuffers(records, options) {
      const [first] = records
      // So that a server of ours can look the transfer up before it reads them. Others ignore what they do not know.
      const query = { transfer_session_id: first?.transfer_session ?? '' }
      const request: WireRequest = { method: 'POST', resource: 'buffers', query, body: records, records }
      await succeeded('sendBuffers', [records], request, options)
    },
    async fetchBuffers(range, options) {
      const query = {
        limit: String(range.limit),
        offset: String(range.offset),
        transfer_session_id: range.transferSessionId,
      }
      const request: WireRequest = { method: 'GET', resource: 'buffers', query }
      const reply = await answered('fetchBuffers', [range], request, options)
      if (!isSuccess(reply)) throw peerError(reply, 'fetchBuffers')
      return reply.page ?? decodeBufferPage(reply.body)
    },
  }
}

function isSuccess({ status }: WireReply): boolean {
  return status >= 200 && status < 300
}

function encodeQuery({ primaryPartition, ancestorsOf, profile }: CertificateQuery): Record<string, string> {
  return {
    ...(primaryPartition !== undefined && { primary_partition: primaryPartition }),
    ...(ancestorsOf !== undefined && { ancestors_of: ancestorsOf }),
    ...(profile !== undefined && { profile }),
  }
}

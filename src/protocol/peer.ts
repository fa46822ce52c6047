import type { CertificateItem } from '../core/certificate.ts'
import type { BufferRecord } from '../session/ports.ts'
import type {
  BufferPage,
  CertificateQuery,
  Credentials,
  MorangoInfo,
  NonceReply,
  SigningRequest,
  SyncSessionReply,
  SyncSessionRequest,
  SyncSessionView,
  TransferSessionPatch,
  TransferSessionRequest,
  TransferSessionView,
} from './messages.ts'

/** What a call carries besides its message. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * Another instance as a client sees it: the calls of protocol §4, one method each. Implemented over HTTP and,
 * for instances in one process, directly by the service. Every method rejects with a `MorangoError`:
 * `network` when the peer could not be reached or did not answer, `peer-error` (details: `status`, `body`)
 * when it answered with an error, `peer-protocol` when the answer is not what the protocol says.
 */
export interface Peer {
  /** The base URL, or a name for a peer that has none; goes into `connection_path`. */
  readonly url: string
  /** Bytes that have crossed so far, as on the wire (compressed), headers left out. */
  readonly traffic: { readonly sent: number; readonly received: number; readonly roundTrips: number }
  /** Whether buffers travel packed, as far as is known: chunks may then be larger. */
  readonly packs?: boolean
  info(options?: CallOptions): Promise<MorangoInfo>
  createNonce(options?: CallOptions): Promise<NonceReply>
  certificates(query: CertificateQuery, options?: CallOptions): Promise<CertificateItem[]>
  requestCertificate(
    request: SigningRequest,
    credentials: Credentials,
    options?: CallOptions,
  ): Promise<CertificateItem>
  publicKey(options?: CallOptions): Promise<string>
  pushCertificateChain(chain: readonly CertificateItem[], options?: CallOptions): Promise<void>
  createSyncSession(request: SyncSessionRequest, options?: CallOptions): Promise<SyncSessionReply>
  /** Undefined when the peer answers 404: unknown or no longer active. */
  syncSession(id: string, options?: CallOptions): Promise<SyncSessionView | undefined>
  closeSyncSession(id: string, options?: CallOptions): Promise<void>
  createTransferSession(request: TransferSessionRequest, options?: CallOptions): Promise<TransferSessionView>
  transferSession(id: string, options?: CallOptions): Promise<TransferSessionView | undefined>
  updateTransferSession(
    id: string,
    patch: TransferSessionPatch,
    options?: CallOptions,
  ): Promise<TransferSessionView>
  closeTransferSession(id: string, options?: CallOptions): Promise<void>
  /** Begins to encode a chunk that will be sent next, while the one before is on its way. */
  prepareBuffers?(records: readonly BufferRecord[], options?: CallOptions): void
  sendBuffers(records: readonly BufferRecord[], options?: CallOptions): Promise<void>
  fetchBuffers(
    query: { transferSessionId: string; offset: number; limit: number },
    options?: CallOptions,
  ): Promise<BufferPage>
}

/** Who calls a service, and how. */
export interface Caller {
  /** The caller's address, `""` where there is none. */
  readonly ip: string
  /** The own address that was called, `""` where there is none. */
  readonly serverIp: string
  /** What the caller's `X-Morango-Capabilities` says. */
  readonly capabilities: ReadonlySet<string>
}

/**
 * The server's side of the same calls. Rejects with a `MorangoError` whose code decides the status:
 * `protocol/status.ts` has the table. Transports are thin skins over this.
 */
export interface Service {
  /** How large a record may be that it takes, in UTF-8 bytes of its texts; undefined: the usual. */
  readonly maxRecordBytes?: number | undefined
  info(caller: Caller): Promise<MorangoInfo>
  createNonce(caller: Caller): Promise<NonceReply>
  certificates(query: CertificateQuery, caller: Caller): Promise<CertificateItem[]>
  /** Undefined unless held here. */
  certificate(id: string, caller: Caller): Promise<CertificateItem | undefined>
  requestCertificate(
    request: SigningRequest,
    credentials: Credentials | undefined,
    caller: Caller,
  ): Promise<CertificateItem>
  publicKey(caller: Caller): Promise<string>
  pushCertificateChain(chain: readonly CertificateItem[], caller: Caller): Promise<void>
  createSyncSession(request: SyncSessionRequest, caller: Caller): Promise<SyncSessionReply>
  syncSession(id: string, caller: Caller): Promise<SyncSessionView | undefined>
  /** False when there is no such active session. */
  closeSyncSession(id: string, caller: Caller): Promise<boolean>
  createTransferSession(request: TransferSessionRequest, caller: Caller): Promise<TransferSessionView>
  transferSession(id: string, caller: Caller): Promise<TransferSessionView | undefined>
  updateTransferSession(
    id: string,
    patch: TransferSessionPatch,
    caller: Caller,
  ): Promise<TransferSessionView | undefined>
  closeTransferSession(id: string, caller: Caller): Promise<boolean>
  /**
   * Whether a chunk may come for a transfer, asked before anything of it is read: rejects as `receiveBuffers` does when
   * there is no such transfer, it is no push, or the scopes do not permit it.
   */
  admitBuffers(transferSessionId: string, caller: Caller): Promise<void>
  receiveBuffers(records: readonly BufferRecord[], caller: Caller): Promise<void>
  /** `limit` undefined: all. `count` is the transfer's total. */
  buffers(
    query: { transferSessionId: string; offset: number; limit: number | undefined },
    caller: Caller,
  ): Promise<BufferPage>
}

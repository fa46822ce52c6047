import { MorangoError } from '../../src/core/errors.ts'
import type { CertificateItem } from '../../src/core/certificate.ts'
import type {
  BufferRecord,
  SigningRequest,
  SyncSessionRequest,
  TransferSessionPatch,
  TransferSessionView,
} from '../../src/protocol/messages.ts'
import type { Caller, Service } from '../../src/protocol/peer.ts'

export const ID: string = 'a'.repeat(32)
export const OTHER: string = 'b'.repeat(32)
export const UNKNOWN: string = 'c'.repeat(32)

export function item(id: string = ID): CertificateItem {
  const serialized = JSON.stringify({
    id,
    parent_id: null,
    profile: 'facilitydata',
    salt: '',
    scope_definition_id: 'root',
    scope_version: 1,
    scope_params: '{"mainpartition": "é"}',
    public_key_string: 'MIIB',
  })
  return {
    id,
    parent: null,
    profile: 'facilitydata',
    scope_definition: 'root',
    scope_version: 1,
    scope_params: '{"mainpartition": "é"}',
    public_key: 'MIIB',
    serialized,
    signature: 'c2ln',
    salt: '',
  }
}

export function record(n: number, changes: object = {}): BufferRecord {
  const model_uuid = n.toString(16).padStart(32, '0')
  return {
    serialized: `{"id": "${model_uuid}", "name": "Café ${n}"}`,
    deleted: false,
    last_saved_instance: OTHER,
    last_saved_counter: 3,
    hard_deleted: false,
    partition: `${ID}:x`,
    source_id: `s${n}`,
    model_name: 'user',
    conflicting_serialized_data: '',
    model_uuid,
    transfer_session: ID,
    profile: 'facilitydata',
    rmcb_list: [{ transfer_session: ID, model_uuid, instance_id: OTHER, counter: 3 }],
    _self_ref_fk: '',
    ...changes,
  }
}

export function view(
  changes: Omit<TransferSessionPatch, 'preview'> | Partial<TransferSessionView> = {},
): TransferSessionView {
  return {
    id: ID,
    start_timestamp: '2026-11-22T16:15:41.359804Z',
    last_activity_timestamp: '2026-11-22T16:15:41.359804Z',
    active: true,
    filter: ID,
    push: false,
    records_transferred: 0,
    records_total: null,
    bytes_received: 0,
    bytes_sent: 0,
    sync_session: ID,
    server_fsic: '{}',
    client_fsic: '{}',
    transfer_stage_status: 'completed',
    ...changes,
    transfer_stage: changes.transfer_stage ?? 'initializing',
  }
}

export function signingRequest(): SigningRequest {
  const { profile, scope_definition, scope_version, scope_params, public_key } = item()
  return { parent: ID, profile, scope_definition, scope_version, scope_params, public_key }
}

export function syncSessionRequest(): SyncSessionRequest {
  return {
    id: ID,
    server_certificate_id: ID,
    client_certificate_id: OTHER,
    profile: 'facilitydata',
    certificate_chain: [item(), item(OTHER)],
    connection_path: 'http://peer.test/',
    instance: '{"id": "x"}',
    nonce: UNKNOWN,
    client_ip: '',
    server_ip: '',
    signature: 'c2ln',
  }
}

export interface FakeService extends Service {
  /** What was called, with what. */
  readonly calls: { readonly name: string; readonly args: readonly unknown[]; readonly caller: Caller }[]
  /** Records that `buffers` serves. */
  outgoing: BufferRecord[]
  /** Thrown by the next calls, if set. */
  failure: unknown
  capabilities: string[]
}

export function createFakeService(): FakeService {
  const calls: FakeService['calls'] = []
  function log(name: string, args: readonly unknown[], caller: Caller): void {
    calls.push({ name, args, caller })
    if (service.failure !== undefined) throw service.failure
  }
  const service: FakeService = {
    calls,
    outgoing: [],
    failure: undefined,
    capabilities: ['GZIP_BUFFER_POST', 'ASYNC_OPERATIONS'],
    async info(caller) {
      log('info', [], caller)
      return {
        instance_id: ID,
        instance_hash: 'gojin',
        system_os: 'Linux',
        version: '0.8.2',
        capabilities: service.capabilities,
      }
    },
    async createNonce(caller) {
      log('createNonce', [], caller)
      return { id: UNKNOWN, timestamp: '2026-11-22T16:15:40.877368Z', ip: caller.ip }
    },
    async certificates(query, caller) {
      log('certificates', [query], caller)
      return query.profile === 'none' ? [] : [item()]
    },
    async certificate(id, caller) {
      log('certificate', [id], caller)
      return id === ID ? item() : undefined
    },
    async requestCertificate(request, credentials, caller) {
      log('requestCertificate', [request, credentials], caller)
      if (credentials === undefined) {
        throw new MorangoError('unauthenticated', 'Authentication credentials were not provided.')
      }
      return item(OTHER)
    },
    async publicKey(caller) {
      log('publicKey', [], caller)
      return 'MIIB'
    },
    async pushCertificateChain(chain, caller) {
      log('pushCertificateChain', [chain], caller)
    },
    async createSyncSession(request, caller) {
      log('createSyncSession', [request], caller)
      return { signature: 'c2ln', server_instance: '{"id": "y"}' }
    },
    async syncSession(id, caller) {
      log('syncSession', [id], caller)
      return id === ID ? { id, active: true, connection_kind: 'network' } : undefined
    },
    async closeSyncSession(id, caller) {
      log('closeSyncSession', [id], caller)
      return id === ID
    },
    async createTransferSession(request, caller) {
      log('createTransferSession', [request], caller)
      return view({ id: request.id, push: request.push })
    },
    async transferSession(id, caller) {
      log('transferSession', [id], caller)
      return id === ID ? view() : undefined
    },
    async updateTransferSession(id, patch, caller) {
      log('updateTransferSession', [id, patch], caller)
      return id === ID ? view(patch) : undefined
    },
    async closeTransferSession(id, caller) {
      log('closeTransferSession', [id], caller)
      return id === ID
    },
    async admitBuffers() {},
    async receiveBuffers(records, caller) {
      log('receiveBuffers', [records], caller)
    },
    async buffers(query, caller) {
      log('buffers', [query], caller)
      const { offset, limit = Infinity } = query
      return { count: service.outgoing.length, records: service.outgoing.slice(offset, offset + limit) }
    },
  }
  return service
}

/** What a promise is rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<MorangoError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof MorangoError) return error
    throw error
  }
  throw new Error('It did not fail.')
}

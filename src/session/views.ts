import type { SyncSessionView, TransferSessionView } from '../protocol/messages.ts'
import type { SyncSessionRecord } from '../storage/sync-sessions.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'

/** A sync session as it is answered (protocol §4). */
export function syncSessionView(session: SyncSessionRecord): SyncSessionView {
  return {
    id: session.id,
    start_timestamp: session.createdAt,
    last_activity_timestamp: session.lastActivityAt,
    active: session.active,
    client_certificate: session.clientCertificateId,
    server_certificate: session.serverCertificateId,
    profile: session.profile,
    connection_kind: 'network',
    connection_path: session.connectionPath,
    client_ip: session.clientIp,
    server_ip: session.serverIp,
    client_instance: session.clientInstance,
    server_instance: session.serverInstance,
  }
}

/** A transfer session as it is answered (protocol §4). The reason of an error stays here. */
export function transferSessionView(transfer: TransferRecord): TransferSessionView {
  return {
    id: transfer.id,
    start_timestamp: transfer.createdAt,
    last_activity_timestamp: transfer.lastActivityAt,
    active: transfer.active,
    filter: transfer.filter,
    push: transfer.push,
    records_transferred: transfer.recordsTransferred,
    records_total: transfer.recordsTotal,
    bytes_received: transfer.bytesReceived,
    bytes_sent: transfer.bytesSent,
    sync_session: transfer.syncSessionId,
    server_fsic: transfer.serverFsic,
    client_fsic: transfer.clientFsic,
    transfer_stage: transfer.stage,
    transfer_stage_status: transfer.status,
  }
}

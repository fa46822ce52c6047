import type { TransferSessionView } from '../../protocol/messages.ts'
import type { Peer } from '../../protocol/peer.ts'
import type { BufferRecord } from '../../session/ports.ts'
import type { TestPeer } from '../peer.ts'

/** The whole of a database's claims: `partition instance` and the counter. */
export async function claimsOf(peer: TestPeer): Promise<Map<string, number>> {
  const rows = await peer.database.kysely.selectFrom('morango_database_max_counter').selectAll().execute()
  return new Map(rows.map((row) => [`${row.partition} ${row.instance_id}`, row.counter]))
}

/** The id of a peer's current instance. */
export async function instanceOf(peer: TestPeer): Promise<string> {
  return (await peer.morango.status()).instance.id
}

/** A client that says another FSIC than its own. */
export function claiming(fsic: string): (peer: Peer) => Peer {
  return (peer) => ({
    ...peer,
    createTransferSession: (request, options) =>
      peer.createTransferSession({ ...request, client_fsic: fsic }, options),
    updateTransferSession: (id, patch, options) =>
      peer.updateTransferSession(
        id,
        patch.client_fsic === undefined ? patch : { ...patch, client_fsic: fsic },
        options,
      ),
  })
}

/** A server that answers something else than it is. */
export function answering(
  alter: (view: TransferSessionView) => Partial<TransferSessionView>,
): (peer: Peer) => Peer {
  const changed = (view: TransferSessionView): TransferSessionView => ({ ...view, ...alter(view) })
  return (peer) => ({
    ...peer,
    createTransferSession: async (request, options) =>
      changed(await peer.createTransferSession(request, options)),
    transferSession: async (id, options) => {
      const view = await peer.transferSession(id, options)
      return view === undefined ? undefined : changed(view)
    },
    updateTransferSession: async (id, patch, options) =>
      changed(await peer.updateTransferSession(id, patch, options)),
  })
}

/** A server that claims another FSIC than its own. */
export function serverClaiming(fsic: string): (peer: Peer) => Peer {
  return answering(() => ({ server_fsic: fsic }))
}

/** A client or server that alters the records that it sends. */
export function forging(alter: (record: BufferRecord) => BufferRecord): (peer: Peer) => Peer {
  return (peer) => ({
    ...peer,
    sendBuffers: (records, options) => peer.sendBuffers(records.map(alter), options),
    fetchBuffers: async (query, options) => {
      const page = await peer.fetchBuffers(query, options)
      return { ...page, records: page.records.map(alter) }
    },
  })
}

/** A record with an entry more in its history, or a higher one. */
export function withEntry(record: BufferRecord, instance: string, counter: number): BufferRecord {
  const { model_uuid, transfer_session } = record
  const rest = record.rmcb_list.filter((entry) => entry.instance_id !== instance)
  return { ...record, rmcb_list: [...rest, { model_uuid, transfer_session, instance_id: instance, counter }] }
}

/** The FSIC of format v2 with these claims in `sub`. */
export function sub(claims: Readonly<Record<string, Readonly<Record<string, number>>>>): string {
  return JSON.stringify({ super: {}, sub: claims })
}

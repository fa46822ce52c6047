import { readFileSync } from 'node:fs'
import type { PeerMethod } from '../../src/protocol/exchange.ts'
import { packRecords } from '../../src/protocol/packed-records.ts'
import type { BufferRecord } from '../../src/protocol/messages.ts'
import { readTranscript } from '../golden/transcripts-data.ts'
import {
  ID,
  OTHER,
  item,
  record,
  signingRequest,
  syncSessionRequest,
  view,
} from '../transport/fake-service.ts'

const transcripts = ['async', 'certpush', 'fsicv1'].map(readTranscript)
const exchanges = transcripts.flatMap((transcript) => transcript.exchanges)

/** What the original's client said to its server in the recordings, and what that answered: values of JSON. */
export const RECORDED: readonly unknown[] = exchanges
  .flatMap(({ request_body, response_body }) => [request_body, response_body])
  .filter((body) => typeof body === 'object' && body !== null)

/** Records of all kinds: deleted, in conflict, of a long history, with texts that need escapes. */
export const RECORDS: readonly BufferRecord[] = [
  record(1),
  record(2, { deleted: true, hard_deleted: true, serialized: '{}' }),
  record(3, {
    conflicting_serialized_data: '{"id": "x"}\n{"id": "y"}\n',
    _self_ref_fk: ID,
    serialized: '{"a": "\u0001 \\" \u{1F600}", "b": [1.0, 1e3, null, {"c": -0.5}]}',
  }),
  record(4, {
    source_id: '',
    partition: '',
    rmcb_list: [ID, OTHER].map((instance_id, counter) => ({
      transfer_session: ID,
      model_uuid: '4'.padStart(32, '0'),
      instance_id,
      counter,
    })),
  }),
]

export const PACKED: readonly unknown[] = [
  packRecords(RECORDS),
  packRecords(RECORDS.slice(0, 1)),
  { count: 4, ...packRecords(RECORDS) },
]

export const FSICS: readonly unknown[] = [
  {},
  { [ID]: 1, [OTHER]: 2 ** 31 - 1 },
  { super: {}, sub: {} },
  { super: { [ID]: { [OTHER]: 5 } }, sub: { [`${ID}:place`]: { [ID]: 0, [OTHER]: 7 }, '': { [ID]: 1 } } },
]

export const SCOPE_PARAMS: readonly unknown[] = [
  { dataset: ID },
  { main: ID, sub: 'user-1', count: 5, ok: true, real: 1.5 },
]

/** A message of each call, as clients send it. */
export const REQUESTS: Readonly<Record<string, unknown>> = {
  certificates: signingRequest(),
  certificatechain: [item(), item(OTHER)],
  syncsessions: { ...syncSessionRequest(), certificate_chain: JSON.stringify([item(), item(OTHER)]) },
  transfersessions: {
    id: ID,
    filter: `${ID}:a\n${ID}:b`,
    push: true,
    sync_session_id: OTHER,
    client_fsic: JSON.stringify(FSICS[3]),
    records_total: 5,
    transfer_stage: 'queuing',
  },
  patch: {
    records_transferred: 5,
    records_total: 5,
    bytes_sent: 100,
    bytes_received: 2 ** 40,
    transfer_stage: 'dequeuing',
    client_fsic: JSON.stringify(FSICS[1]),
    preview: true,
  },
  buffers: RECORDS,
}

/** An answer to each call of a client, as servers give it. */
export const ANSWERS: Readonly<Record<PeerMethod, unknown>> = {
  info: {
    instance_hash: 'gojin-tidor',
    instance_id: ID,
    system_os: 'Linux',
    version: '0.8.2',
    capabilities: ['ASYNC_OPERATIONS', 'PACKED_BUFFERS'],
    custom: { a: [1] },
  },
  createNonce: { id: ID, timestamp: '2026-11-22T16:15:40.877368Z', ip: '127.0.0.1' },
  certificates: [item(), item(OTHER)],
  requestCertificate: item(),
  publicKey: [{ public_key: 'MIIB' }],
  pushCertificateChain: 'Certificate chain has been saved',
  createSyncSession: { signature: 'c2ln', server_instance: JSON.stringify({ id: ID, hostname: 'x' }) },
  syncSession: { id: ID, active: true, connection_kind: 'network', client_certificate: null },
  closeSyncSession: null,
  createTransferSession: view({ server_fsic: JSON.stringify(FSICS[3]) }),
  transferSession: view({ transfer_stage: 'serializing', records_total: 5 }),
  updateTransferSession: {
    ...view({ transfer_stage: 'queuing', records_total: 5 }),
    preview: { models: [{ model: 'user', records: 1, deletions: 0, bytes: 5 }], ids: [ID] },
  },
  closeTransferSession: null,
  sendBuffers: null,
  fetchBuffers: {
    count: 4,
    next: `http://peer.test/api/morango/v1/buffers/?limit=2&offset=2&transfer_session_id=${ID}`,
    previous: null,
    results: RECORDS,
  },
}

const { keys }: { keys: { public_key_string: string }[] } = JSON.parse(
  readFileSync(new URL('../fixtures/golden/keys.json', import.meta.url), 'utf8'),
)
const key = keys[0]?.public_key_string ?? ''

/** Texts, each of them what some parser reads. */
export const VALID_TEXTS: readonly string[] = [
  ...[...RECORDED.slice(0, 30), ...PACKED, ...FSICS, ...SCOPE_PARAMS, ...Object.values(REQUESTS)].map(
    (value) => JSON.stringify(value),
  ),
  ...Object.values(ANSWERS).map((value) => JSON.stringify(value)),
  ...RECORDS.map(({ serialized }) => serialized),
  item().serialized,
  ...textsIn(RECORDED).filter((text) => text.startsWith('{"id"') || text.startsWith('{"parent')),
  '{"a": 1}\n{"a": 2.50, "b": "x"}\n',
  key,
  `-----BEGIN PUBLIC KEY-----\n${key.replaceAll(/(.{64})/g, '$1\n')}\n-----END PUBLIC KEY-----\n`,
  `${ID}:a\n${ID}:b ${OTHER}`,
  '${dataset}:user:${sub}\n$main$$',
  'YW5hOnNlY3JldA==',
  'ASYNC_OPERATIONS FSIC_V2_FORMAT',
  'Sun, 29 Nov 2026 08:00:00 GMT',
  '120',
  'localhost:8080',
  '[::1]:80',
  '2001:db8::ffff:192.0.2.1%eth0',
  '2026-11-29T08:00:00.123456Z',
  '2026-11-29',
  '08:00:00.5',
  'P3DT4H5M6.5S',
  '3 04:05:06.7',
  '-12.50',
  '1.5e-7',
  ID,
]

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsIn)
}

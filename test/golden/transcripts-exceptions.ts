import type { Json } from './transcripts-data.ts'

/** What we answer: the status, and those members of the body that matter. */
export interface Expected {
  readonly status: number
  readonly body?: Json
}

/** Where we answer something else than the recorded server, on purpose. */
export interface Exception extends Expected {
  readonly reason: string
}

const NO_FSIC =
  'a missing or empty FSIC is read as "I have nothing"; in v2 the original fails on it (protocol §5)'
const IDEMPOTENT = 'a chunk may come twice; the original fails on it, and loses the session (protocol §5)'
const UNREAD =
  'a malformed message is refused before the transfer is touched; the original fails half-way (protocol §4)'
const TOO_MANY =
  'the original leaves a transfer with too many records pending for ever (protocol §4): ours refuses the ' +
  'chunk, so that the client learns of it, and fails the transfer'

/** By name of the recording and number of the exchange. */
export const SESSION_EXCEPTIONS: Readonly<Record<string, Readonly<Record<number, Exception>>>> = {
  noasync: {
    6: { status: 201, body: { records_total: 14 }, reason: NO_FSIC },
    17: { status: 204, reason: NO_FSIC },
    22: { status: 201, reason: NO_FSIC },
  },
}

/** By label. */
export const CASE_EXCEPTIONS: Readonly<Record<string, Exception>> = {
  'CSR, scope version differs': {
    status: 400,
    body: { scope_version: ['Only version 1 of the scope definition is known here.'] },
    reason: 'ours signs for what it knows: the original signs for any version, and reads it as its own',
  },
  'GET after the repeated buffer': {
    status: 200,
    body: { transfer_stage: 'transferring', transfer_stage_status: 'pending', records_transferred: 1 },
    reason: IDEMPOTENT,
  },
  'GET session after other existing field missing': {
    status: 200,
    body: { transfer_stage: 'queuing', transfer_stage_status: 'completed', records_transferred: 0 },
    reason: UNREAD,
  },
  'POST buffers, more records than announced': { status: 400, reason: TOO_MANY },
}

const SERIALIZED = { transfer_stage: 'serializing', transfer_stage_status: 'completed' }
const QUEUED = { transfer_stage: 'queuing', transfer_stage_status: 'completed' }
const CREATED = { transfer_stage: 'initializing', transfer_stage_status: 'completed', active: true }
const FAILED = { transfer_stage: 'transferring', transfer_stage_status: 'errored' }
const WAITING = { transfer_stage: 'transferring', transfer_stage_status: 'pending', records_transferred: 1 }

/** What the cases whose answer is not recorded must get by the protocol, by label. */
const UNRECORDED: Readonly<Record<string, Expected>> = {
  'no trailing slash on POST': { status: 301 },
  'publickey without the capability': { status: 403 },
  'certificates, primary_partition': { status: 200 },
  'certificates, ancestors_of unknown': { status: 200 },
  'certificate by unknown id': { status: 404 },
  'CSR, unknown user': { status: 401 },
  'CSR, scope not subset': { status: 400, body: { error_class: 'CertificateScopeNotSubset' } },
  'CSR, unknown scope definition': {
    status: 400,
    body: { scope_definition: ['Invalid pk "nosuch" - object does not exist.'] },
  },
  'CSR, no parent': { status: 400 },
  'CSR, empty body': { status: 400, body: { profile: ['This field is required.'] } },
  'CSR as form data': { status: 201, body: { scope_definition: 'fullsub' } },
  'sync session, unknown nonce': { status: 403 },
  'sync session, nonce first use': { status: 201 },
  'sync session, expired nonce (61 s)': { status: 403 },
  'sync session, bad signature': { status: 403 },
  'sync session, client id not last of chain': { status: 403 },
  'sync session, no instance': { status: 400 },
  'sync session, id used before (first)': { status: 201 },
  'GET sync session with dashes': { status: 200, body: { id: 'e1a0c94bf0f44ef89106fe54129d124a' } },
  'PATCH sync session': { status: 405 },
  'transfer session on a closed sync session': { status: 400 },
  'transfer session, no sync session': { status: 400 },
  'transfer session, one partition of two outside': { status: 403 },
  'transfer session, filter is a longer prefix': { status: 201, body: CREATED },
  'transfer session, push is null': { status: 400 },
  'transfer session, malformed id': { status: 400 },
  'pull, first': { status: 201, body: CREATED },
  'GET unknown transfer session': { status: 404 },
  'PATCH records_total as string': { status: 200, body: { ...CREATED, records_total: 12 } },
  'GET buffers before queuing': { status: 200, body: { count: 0, results: [] } },
  'PATCH back to serializing is a no-op': { status: 200, body: { ...QUEUED, records_total: 15 } },
  'GET buffers, no limit (not paginated)': { status: 200 },
  'GET buffers, malformed session': { status: 400 },
  'PATCH pull session to transferring, part of the records': {
    status: 200,
    body: { transfer_stage: 'transferring', transfer_stage_status: 'pending', records_transferred: 2 },
  },
  'GET deleted transfer session': { status: 404 },
  'pull with FSIC partition out of filter: created': { status: 201, body: CREATED },
  'GET the errored session': {
    status: 200,
    body: { transfer_stage: 'queuing', transfer_stage_status: 'errored', active: true },
  },
  // The original leaves it active; ours cleans up (protocol §4).
  'GET the errored session after DELETE': { status: 404 },
  'GET buffers of a push session': { status: 403 },
  // The original fails; for ours a chunk may come twice (protocol §5).
  'POST the same buffer again': { status: 201 },
  'GET session after wrong model_uuid': { status: 200, body: { ...FAILED, records_transferred: 0 } },
  'POST buffer, RMCB of another model': { status: 400 },
  'GET session after unknown model name': { status: 200, body: WAITING },
  'POST buffer, unknown profile': { status: 400 },
  'GET session after extra field': { status: 200, body: { ...QUEUED, records_transferred: 0 } },
  'POST buffer, no _self_ref_fk (older peer)': { status: 201 },
  'POST buffers, unknown session': { status: 400 },
  'POST buffers, gzip garbage': { status: 400 },
  'GET session after too many records': { status: 200, body: FAILED },
  'POST buffer with invalid serialized': { status: 201 },
  DELETE: { status: 204 },
  'push of nothing: dequeuing': {
    status: 200,
    body: { transfer_stage: 'dequeuing', transfer_stage_status: 'completed' },
  },
  // The original does not ask whether pushing is on; ours does (protocol §4).
  'certificatechain with the setting off': { status: 403 },
  'subset certificate: push of a readable partition only': { status: 403 },
}

/** What a case whose answer is not recorded must get; undefined when nobody has thought of it. */
export function unrecorded(label: string): Expected | undefined {
  const known = UNRECORDED[label]
  if (known !== undefined) return known
  if (label === 'nonce') return { status: 201, body: { ip: '127.0.0.1' } }
  if (label.startsWith('sync session (fresh')) return { status: 201 }
  if (!label.startsWith('push ')) return undefined
  if (label.endsWith(': serializing')) return { status: 200, body: SERIALIZED }
  if (label.endsWith(': queuing')) return { status: 200, body: { ...QUEUED, records_total: 2 } }
  return { status: 201, body: CREATED }
}

import { MAX_FSIC_TEXT, MAX_MESSAGE_DEPTH } from '../../core/limits.ts'
import type { PeerMethod } from '../../protocol/exchange.ts'
import type { JsonLimits } from '../../protocol/json-reader.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** The largest answer of each call but pages of records, in unpacked bytes, and its values. */
const REPLIES: Readonly<Record<PeerMethod, readonly [bytes: number, values: number]>> = {
  info: [256 * KIB, 5000],
  createNonce: [64 * KIB, 500],
  // All that a server holds, each with what its texts say.
  certificates: [8 * MIB, 100_000],
  requestCertificate: [256 * KIB, 1000],
  publicKey: [64 * KIB, 500],
  pushCertificateChain: [64 * KIB, 500],
  createSyncSession: [256 * KIB, 1000],
  syncSession: [256 * KIB, 1000],
  closeSyncSession: [64 * KIB, 500],
  // With the FSICs of both sides, and the ids of a preview.
  createTransferSession: [2 * MAX_FSIC_TEXT + 4 * MIB, 50_000],
  transferSession: [2 * MAX_FSIC_TEXT + 4 * MIB, 50_000],
  updateTransferSession: [2 * MAX_FSIC_TEXT + 4 * MIB, 50_000],
  closeTransferSession: [64 * KIB, 500],
  sendBuffers: [64 * KIB, 500],
  fetchBuffers: [64 * KIB, 500],
}

/** What is read of an error's body, in bytes: of a page of HTML the beginning will do. */
export const ERROR_BYTES: number = 256 * KIB

/** Values in an error's body; what has more is quoted as text. */
export const ERROR_VALUES = 1000

/** How large the answer to a call may be. */
export function replyLimits(method: PeerMethod, maxReplyBytes: number): JsonLimits {
  const [bytes, values] = REPLIES[method]
  return { bytes: Math.min(bytes, maxReplyBytes), values, depth: MAX_MESSAGE_DEPTH }
}

/** The calls that wait for the work of a stage at the server, which may take minutes. */
const WAITS_FOR_WORK: ReadonlySet<PeerMethod> = new Set([
  'createTransferSession',
  'updateTransferSession',
  'closeTransferSession',
  // It drops its transfers, from whoever runs them.
  'closeSyncSession',
])

/** Whether a call may be answered after minutes of work. */
export function waitsForWork(method: PeerMethod): boolean {
  return WAITS_FOR_WORK.has(method)
}

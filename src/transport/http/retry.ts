import type { MorangoError } from '../../core/errors.ts'
import type { PeerMethod } from '../../protocol/exchange.ts'

/**
 * When a call may be made again without asking what became of it.
 *
 * - `safe`: changes nothing. After a lost answer, 429, and any 5xx.
 * - `idempotent`: a second time does no harm. After a lost answer, 429, and what gateways say (502, 503, 504).
 * - `once`: only if it surely was not carried out: not sent, 429, 503 with `Retry-After`.
 * - `careful`: as `once`, but no status of 5xx counts: the original loses the session over a chunk that comes twice.
 */
export type Repeatability = 'safe' | 'idempotent' | 'once' | 'careful'

const REPEATABILITY: Readonly<Record<PeerMethod, Repeatability>> = {
  info: 'safe',
  createNonce: 'idempotent',
  certificates: 'safe',
  requestCertificate: 'once',
  publicKey: 'safe',
  pushCertificateChain: 'once',
  createSyncSession: 'once',
  syncSession: 'safe',
  closeSyncSession: 'idempotent',
  createTransferSession: 'idempotent',
  transferSession: 'safe',
  // A stage may still be running: update-recovery.ts asks first.
  updateTransferSession: 'once',
  closeTransferSession: 'idempotent',
  sendBuffers: 'careful',
  fetchBuffers: 'safe',
}

const FIRST_PAUSE = 500
const LONGEST_PAUSE = 30_000
/** Who asks for a longer wait than this gets none: the answer is handed on as an error. */
const LONGEST_WAIT = 300_000

/** How an answer or its absence bears on making the call again. */
export type Outcome =
  | { readonly kind: 'answer'; readonly status: number; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'lost'; readonly error: MorangoError }

/** Whether a call may be made again after this outcome. */
export function mayRepeat(method: PeerMethod, outcome: Outcome): boolean {
  const repeatability = REPEATABILITY[method]
  if (outcome.kind === 'lost') {
    return outcome.error.details.sent === false || repeatability === 'safe' || repeatability === 'idempotent'
  }
  const { status, retryAfterMs } = outcome
  if (retryAfterMs !== undefined && retryAfterMs > LONGEST_WAIT) return false
  if (status === 429) return true
  if (status < 500) return false
  if (repeatability === 'safe') return true
  if (repeatability === 'idempotent') return isGatewayStatus(status)
  return repeatability === 'once' && status === 503 && retryAfterMs !== undefined
}

/** Whether the answer leaves open what became of the call: a gateway's word, not the peer's. */
export function isGatewayStatus(status: number): boolean {
  return status === 502 || status === 503 || status === 504
}

/** How long to wait before attempt `attempt` + 1, in ms: twice as long each time, spread by up to a half. */
export function pauseBefore(attempt: number, random: () => number, retryAfterMs?: number): number {
  if (retryAfterMs !== undefined) return retryAfterMs
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt) * (0.5 + random() / 2)
}

/** What a `Retry-After` header asks for: seconds, or a date by the server's own clock where it tells that. */
export function retryAfterMs(headers: Headers): number | undefined {
  const value = headers.get('retry-after')?.trim()
  if (value === undefined || value === '') return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const until = Date.parse(value)
  if (Number.isNaN(until)) return undefined
  const now = Date.parse(headers.get('date') ?? '')
  return Math.max(0, until - (Number.isNaN(now) ? Date.now() : now))
}

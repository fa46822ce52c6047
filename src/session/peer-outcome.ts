import { isMorangoError } from '../core/errors.ts'
import type { MachineEvent } from './machine-types.ts'

// Timeouts, throttling and gateways: the same call may succeed later.
const PASSING = new Set([408, 425, 429, 502, 503, 504])

/** What a failure of a client's call or own part means for the machine. */
export function failureEvent(error: unknown, progressed: boolean): MachineEvent {
  if (!isMorangoError(error)) return { kind: 'failed' }
  switch (error.code) {
    case 'network':
      return { kind: 'lost', progressed }
    case 'peer-error': {
      const status = error.details['status']
      if (status === 404) return { kind: 'gone' }
      return typeof status === 'number' && PASSING.has(status)
        ? { kind: 'lost', progressed }
        : { kind: 'refused' }
    }
    case 'lease-lost':
      return { kind: 'busy' }
    case 'unknown-session':
      return { kind: 'gone' }
    // A received chunk that may not be stored is the peer's fault, and so are claims that it may not make.
    case 'invalid-buffer':
    case 'fsic-malformed':
    case 'fsic-outside-filter':
    case 'fsic-too-large':
    case 'peer-protocol':
    case 'transfer-errored':
      return { kind: 'refused' }
    default:
      return { kind: 'failed' }
  }
}

/**
 * Every way in which an operation of this package can fail, as a stable code.
 * Codes never change their meaning; new ones may be added.
 */
export type MorangoErrorCode =
  // what the application declared or asked for
  | 'invalid-declaration'
  | 'invalid-argument'
  | 'invalid-filter'
  | 'invalid-template'
  | 'unknown-profile'
  | 'unknown-model'
  | 'unknown-scope-definition'
  | 'unknown-certificate'
  | 'not-migrated'
  | 'too-many-deletions'
  // conflicts and problems
  | 'unknown-problem'
  | 'unknown-conflict'
  | 'not-restorable'
  // certificates (protocol: the error classes of §3)
  | 'certificate-id-invalid'
  | 'certificate-signature-invalid'
  | 'certificate-root-scope-invalid'
  | 'certificate-scope-not-subset'
  | 'certificate-profile-invalid'
  | 'certificate-malformed'
  | 'certificate-chain-invalid'
  | 'certificate-refused'
  | 'private-key-missing'
  | 'invalid-key'
  // counters
  | 'fsic-malformed'
  | 'fsic-outside-filter'
  | 'fsic-too-large'
  | 'counter-exhausted'
  | 'renewal-needed'
  // sessions and transfers
  | 'nonce-invalid'
  | 'session-signature-invalid'
  | 'unknown-session'
  | 'session-inactive'
  | 'scope-not-permitted'
  | 'push-disabled'
  | 'transfer-errored'
  | 'invalid-buffer'
  | 'stage-failed'
  | 'lease-lost'
  | 'unauthenticated'
  | 'forbidden'
  // the other side and the way to it
  | 'malformed-message'
  | 'not-found'
  | 'payload-too-large'
  | 'too-many-requests'
  | 'network'
  | 'peer-error'
  | 'peer-protocol'
  | 'aborted'
  // the database
  | 'database'
  | 'disk-full'

/** What a {@link MorangoError} carries besides its code and message. */
export interface MorangoErrorOptions {
  /** What to do about it, one sentence. */
  readonly hint?: string
  readonly cause?: unknown
  /** Values that help to find the place: ids, names, positions. Never secrets or record contents. */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * The one error class of the public face. `code` is stable and meant for programs, `message` says what
 * happened, `hint` what to do.
 */
export class MorangoError extends Error {
  override readonly name = 'MorangoError'
  readonly code: MorangoErrorCode
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: MorangoErrorCode, message: string, options: MorangoErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
  }
}

/** Whether `error` is a {@link MorangoError}, of the given code if one is named. */
export function isMorangoError(error: unknown, code?: MorangoErrorCode): error is MorangoError {
  return error instanceof MorangoError && (code === undefined || error.code === code)
}

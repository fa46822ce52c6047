import { MorangoError } from '../core/errors.ts'
import type { MorangoErrorCode } from '../core/errors.ts'

/**
 * The shape of an error's body (protocol §4): `{detail}`, a JSON string, a list of one string, `{field:
 * [messages]}` out of `details.fields`, or `{error_class, error_message}`.
 */
type BodyShape = 'detail' | 'string' | 'list' | 'fields' | 'certificate'

/** What a server answers for each code. From 500 on the message stays here: it may tell of the inside. */
const ANSWERS: Readonly<Record<MorangoErrorCode, readonly [status: number, shape: BodyShape]>> = {
  'invalid-declaration': [500, 'detail'],
  'invalid-argument': [400, 'detail'],
  'invalid-filter': [400, 'string'],
  'invalid-template': [500, 'detail'],
  'unknown-profile': [400, 'list'],
  'unknown-model': [400, 'list'],
  'unknown-scope-definition': [400, 'string'],
  'unknown-certificate': [400, 'string'],
  'not-migrated': [500, 'detail'],
  'too-many-deletions': [500, 'detail'],
  'unknown-problem': [500, 'detail'],
  'unknown-conflict': [500, 'detail'],
  'not-restorable': [500, 'detail'],
  'certificate-id-invalid': [400, 'certificate'],
  'certificate-signature-invalid': [400, 'certificate'],
  'certificate-root-scope-invalid': [400, 'certificate'],
  'certificate-scope-not-subset': [400, 'certificate'],
  'certificate-profile-invalid': [400, 'certificate'],
  'certificate-malformed': [400, 'string'],
  'certificate-chain-invalid': [403, 'string'],
  'certificate-refused': [403, 'string'],
  'private-key-missing': [400, 'string'],
  'invalid-key': [400, 'string'],
  'fsic-malformed': [400, 'string'],
  'fsic-outside-filter': [400, 'string'],
  'fsic-too-large': [400, 'string'],
  'counter-exhausted': [500, 'detail'],
  'renewal-needed': [500, 'detail'],
  'nonce-invalid': [403, 'string'],
  'session-signature-invalid': [403, 'string'],
  'unknown-session': [400, 'string'],
  'session-inactive': [400, 'string'],
  'scope-not-permitted': [403, 'string'],
  'push-disabled': [403, 'detail'],
  'transfer-errored': [500, 'detail'],
  'invalid-buffer': [400, 'list'],
  'stage-failed': [500, 'detail'],
  'lease-lost': [503, 'detail'],
  unauthenticated: [401, 'detail'],
  forbidden: [403, 'detail'],
  'malformed-message': [400, 'fields'],
  'not-found': [404, 'detail'],
  'payload-too-large': [413, 'detail'],
  'too-many-requests': [429, 'detail'],
  network: [500, 'detail'],
  'peer-error': [500, 'detail'],
  'peer-protocol': [500, 'detail'],
  aborted: [503, 'detail'],
  database: [500, 'detail'],
  'disk-full': [500, 'detail'],
}

/** The names that the original gives its certificate errors. */
const ERROR_CLASSES: Readonly<Partial<Record<MorangoErrorCode, string>>> = {
  'certificate-id-invalid': 'CertificateIDInvalid',
  'certificate-signature-invalid': 'CertificateSignatureInvalid',
  'certificate-root-scope-invalid': 'CertificateRootScopeInvalid',
  'certificate-scope-not-subset': 'CertificateScopeNotSubset',
  'certificate-profile-invalid': 'CertificateProfileInvalid',
}

const DEFAULT_RETRY_AFTER = 5

/** The body of an answer to which nothing better is known. */
export const INTERNAL_ERROR = { detail: 'Internal server error' } as const
export const NOT_FOUND = { detail: 'Not found.' } as const

/** The HTTP status for a code. */
export function statusOf(code: MorangoErrorCode): number {
  return ANSWERS[code][0]
}

/**
 * Status and JSON body with which a server answers an error.
 *
 * A `MorangoError` whose `details.body` is set is answered with just that, whatever its code: the thrower sets
 * it where the original's exact words are known (`new MorangoError('nonce-invalid', 'The nonce is 70 s old.',
 * { details: { body: 'Nonce is not valid' } })`). What is no `MorangoError` tells nothing: 500. `details.retryAfter` is
 * when to try again, in seconds.
 */
export function errorAnswer(error: unknown): {
  readonly status: number
  readonly body: unknown
  readonly retryAfter?: number
} {
  if (!(error instanceof MorangoError)) return { status: 500, body: INTERNAL_ERROR }
  const [status] = ANSWERS[error.code]
  const { retryAfter } = error.details
  const body = bodyOf(error)
  if (status !== 429 && status !== 503) return { status, body }
  // Without it a client of the original does not try again.
  return { status, body, retryAfter: typeof retryAfter === 'number' ? retryAfter : DEFAULT_RETRY_AFTER }
}

function bodyOf(error: MorangoError): unknown {
  const [status, shape] = ANSWERS[error.code]
  const { body, fields } = error.details
  if (body !== undefined) return body
  if (status >= 500) return INTERNAL_ERROR
  if (shape === 'string') return error.message
  if (shape === 'list') return [error.message]
  if (shape === 'certificate') {
    return { error_class: ERROR_CLASSES[error.code], error_message: error.message }
  }
  return shape === 'fields' && fields !== undefined ? fields : { detail: error.message }
}

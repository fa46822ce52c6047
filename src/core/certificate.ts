import { MorangoError } from './errors.ts'
import { isHexUuid } from './ids.ts'
import {
  MAX_CERTIFICATE_TEXT,
  MAX_COUNTER,
  MAX_PROFILE,
  MAX_SALT,
  MAX_SCOPE_DEFINITION_ID,
} from './limits.ts'
import { parseJsonExact, pythonStringify } from './python-json.ts'
import type { JsonValue } from './python-json.ts'
import { publicKeyToWire } from './public-key.ts'
import { hasUnseen, requireDistinctKeys } from './scope-params.ts'

/** What a certificate says, and what its signature covers (protocol §3). */
export interface CertificateFields {
  readonly id: string
  /** The certificate whose key signed this one; null for a root, which signs itself. */
  readonly parentId: string | null
  readonly profile: string
  readonly salt: string
  readonly scopeDefinitionId: string
  readonly scopeVersion: number
  /** The JSON of an object, as text. */
  readonly scopeParams: string
  /** In the wire form: base64 of PKCS#1 DER on one line. */
  readonly publicKey: string
}

/** A certificate: its fields, the exact text that was signed, and the signature in base64. */
export interface Certificate extends CertificateFields {
  readonly serialized: string
  readonly signature: string
}

/** A certificate as it travels (protocol §4); receivers read only `id`, `serialized` and `signature`. */
export interface CertificateItem {
  readonly id: string
  readonly parent: string | null
  readonly profile: string
  readonly scope_definition: string
  readonly scope_version: number
  readonly scope_params: string
  readonly public_key: string
  readonly serialized: string
  readonly signature: string
  readonly salt: string
}

/** The part of a {@link CertificateItem} that a receiver reads. */
export type SignedItem = Pick<CertificateItem, 'id' | 'serialized' | 'signature'>

/** The text to sign for a certificate, in the original's order and form (protocol §3, §7). */
export function certificateText(fields: CertificateFields): string {
  return pythonStringify({
    id: fields.id,
    parent_id: fields.parentId,
    profile: fields.profile,
    salt: fields.salt,
    scope_definition_id: fields.scopeDefinitionId,
    scope_version: fields.scopeVersion,
    scope_params: fields.scopeParams,
    public_key_string: fields.publicKey,
  })
}

/**
 * Reads the signed text of a certificate. Order, spacing and escapes are the signer's choice, and other
 * keys are ignored; a missing `salt` is `''` (protocol §3). No key may stand twice.
 *
 * @throws MorangoError `certificate-malformed` when it is too long or no JSON object, or a field is missing, mistyped or
 * longer than peers can store (protocol §1)
 */
export function parseCertificateText(serialized: string): CertificateFields {
  const members = parseMembers(serialized)
  const parent = members['parent_id']
  if (parent !== null && !isHexUuid(parent)) throw malformed('parent_id')
  return {
    id: textMember(members, 'id'),
    parentId: parent,
    profile: nameMember(members, 'profile', MAX_PROFILE),
    salt: members['salt'] === undefined ? '' : nameMember(members, 'salt', MAX_SALT),
    scopeDefinitionId: nameMember(members, 'scope_definition_id', MAX_SCOPE_DEFINITION_ID),
    scopeVersion: versionMember(members, 'scope_version'),
    scopeParams: textMember(members, 'scope_params'),
    publicKey: publicKeyToWire(textMember(members, 'public_key_string')),
  }
}

/** The wire item of a certificate. */
export function certificateToItem(certificate: Certificate): CertificateItem {
  return {
    id: certificate.id,
    parent: certificate.parentId,
    profile: certificate.profile,
    scope_definition: certificate.scopeDefinitionId,
    scope_version: certificate.scopeVersion,
    scope_params: certificate.scopeParams,
    public_key: certificate.publicKey,
    serialized: certificate.serialized,
    signature: certificate.signature,
    salt: certificate.salt,
  }
}

/**
 * The certificate in a wire item, read from its signed text alone and not yet checked.
 *
 * @throws MorangoError `certificate-malformed` as {@link parseCertificateText}; `certificate-chain-invalid`
 * when the item's `id` is not the one inside (protocol §3)
 */
export function certificateFromItem(item: SignedItem): Certificate {
  const fields = parseCertificateText(item.serialized)
  if (fields.id !== item.id) {
    throw new MorangoError('certificate-chain-invalid', 'Serialized ID does not match')
  }
  return { ...fields, serialized: item.serialized, signature: item.signature }
}

type Members = Readonly<Record<string, JsonValue>>

function parseMembers(serialized: string): Members {
  if (serialized.length > MAX_CERTIFICATE_TEXT) {
    throw new MorangoError(
      'certificate-malformed',
      `The text of a certificate has more than ${MAX_CERTIFICATE_TEXT} characters`,
    )
  }
  // What is signed is the UTF-8 of the text, in which all halves of surrogate pairs look the same.
  if (!serialized.isWellFormed()) {
    throw new MorangoError('certificate-malformed', 'The text of a certificate has half a surrogate pair')
  }
  let value: JsonValue
  try {
    value = parseJsonExact(serialized)
  } catch (cause) {
    throw new MorangoError('certificate-malformed', 'The text of a certificate is not JSON', { cause })
  }
  if (!isObject(value)) {
    throw new MorangoError('certificate-malformed', 'The text of a certificate is not a JSON object')
  }
  requireDistinctKeys(serialized)
  return value
}

function isObject(value: JsonValue): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textMember(members: Members, key: string): string {
  const value = members[key]
  if (typeof value !== 'string') throw malformed(key)
  return value
}

function nameMember(members: Members, key: string, limit: number): string {
  const value = textMember(members, key)
  if (hasUnseen(value)) throw malformed(key)
  if (Array.from(value).length > limit) {
    throw new MorangoError(
      'certificate-malformed',
      `A certificate's ${key} has more than ${limit} characters`,
      {
        details: { key },
      },
    )
  }
  return value
}

function versionMember(members: Members, key: string): number {
  const value = members[key]
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw malformed(key)
  if (value < 0 || value > MAX_COUNTER) throw malformed(key)
  return value
}

function malformed(key: string): MorangoError {
  return new MorangoError(
    'certificate-malformed',
    `A certificate's ${key} is missing, or is not what it must be`,
    {
      details: { key },
    },
  )
}

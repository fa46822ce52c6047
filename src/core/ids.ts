import { sha1 } from '@noble/hashes/legacy.js'
import { hexPrefix, transientUtf8 } from './bytes.ts'
import { sha256Prefix } from './sha256.ts'

/** Stands for a record's own id in the partition that its id is derived from. */
export const ID_PLACEHOLDER = '${id}'

/** What a receiver needs to know of a record to derive its id again. */
export interface RecordIdentity {
  readonly id: string
  readonly partition: string
  readonly sourceId: string
  readonly modelName: string
}

const SALT = '::b88281f3-302c-4def-bb87-043f681e4183'
const SALTED_HEX_DIGITS = 20

/** The first 32 hex digits of SHA-256 over the parts joined by `::` (protocol §1). */
export function sha2Uuid(...parts: string[]): string {
  return sha256Prefix(parts.join('::'))
}

/**
 * The id of a record (protocol §1). A `partition` that contains the record's own id holds the literal
 * `${id}` in its place, and is hashed as it is.
 */
export function recordId(partition: string, sourceId: string, modelName: string): string {
  return sha256Prefix(`${partition}::${sourceId}::${modelName}`)
}

/** The partition as it is stored: every `${id}` of `template` replaced by `id` (protocol §1). */
export function resolvePartition(template: string, id: string): string {
  return template.includes(ID_PLACEHOLDER) ? template.replaceAll(ID_PLACEHOLDER, () => id) : template
}

/**
 * A receiver's check of a record's id under the plain rule: every occurrence of the id in the partition is
 * taken for the placeholder, and the id derived again (protocol §1).
 */
export function recordIdMatches(record: RecordIdentity): boolean {
  const { id, partition, sourceId, modelName } = record
  // An empty id occurs everywhere and is never derived.
  if (id === '') return false
  const template = partition.includes(id) ? partition.replaceAll(id, () => ID_PLACEHOLDER) : partition
  return recordId(template, sourceId, modelName) === id
}

/**
 * The id of a certificate: public key (in its wire form), profile and salt joined by a single `:`, empty
 * ones left out (protocol §1).
 */
export function certificateId(publicKey: string, profile: string, salt: string): string {
  return sha256Prefix([publicKey, profile, salt].filter((part) => part !== '').join(':'))
}

/**
 * How a raw system or node id enters an instance id: 20 hex digits of a salted SHA-1 over the text with
 * its ASCII letters lowercased; nothing is trimmed, and an empty text stays empty (protocol §1).
 */
export function saltedHash(raw: string): string {
  if (raw === '') return ''
  const lowered = raw.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return hexPrefix(sha1(transientUtf8(lowered + SALT)), SALTED_HEX_DIGITS)
}

/**
 * The id of an instance (protocol §1).
 *
 * @param systemId - salted with {@link saltedHash}, or empty
 * @param nodeId - salted with {@link saltedHash}, or empty
 */
export function instanceId(databaseId: string, systemId: string, nodeId: string): string {
  return sha2Uuid(databaseId, systemId, nodeId)
}

/** Whether `s` is a UUID in the wire form: 32 lowercase hex digits. */
export function isHexUuid(s: unknown): s is string {
  return typeof s === 'string' && /^[0-9a-f]{32}$/.test(s)
}

/** The wire form of a UUID written with or without dashes, in any case; undefined when it is none. */
export function parseUuid(s: unknown): string | undefined {
  if (typeof s !== 'string') return undefined
  const hex = s.replaceAll('-', '').toLowerCase()
  return isHexUuid(hex) ? hex : undefined
}

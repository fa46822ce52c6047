import { MorangoError } from './errors.ts'
import { isFilterSubset, parseFilter } from './filter.ts'
import type { Filter } from './filter.ts'
import { parseJsonWith } from './python-json.ts'
import { PythonFloat } from './python-number.ts'
import { substitute } from './template.ts'
import type { TemplateParams } from './template.ts'

/** A kind of scope that certificates can have. Both peers must know it by its id (protocol §2). */
export interface ScopeDefinition {
  readonly id: string
  readonly profile: string
  readonly version: number
  /** The parameter that takes a root certificate's id; empty when it cannot make root certificates. */
  readonly primaryScopeParamKey: string
  readonly description: string
  readonly readFilterTemplate: string
  readonly writeFilterTemplate: string
  readonly readWriteFilterTemplate: string
}

/** What a certificate allows its holder to read and to write. */
export interface Scope {
  readonly read: Filter
  readonly write: Filter
}

/** Who of the two sides has no right to a transfer, if anyone. */
export type TransferPermission =
  | { readonly permitted: true }
  | { readonly permitted: false; readonly side: 'client' | 'server' }

/**
 * The scope of a certificate: the definition's templates filled with the certificate's parameters
 * (protocol §2).
 *
 * @param params - the certificate's `scope_params` text, or values by name. Only the text can tell `1.0`
 * from `1`, which Python prints differently.
 * @throws MorangoError `certificate-malformed` when the text is not the JSON of an object
 */
export function scopeOf(definition: ScopeDefinition, params: string | TemplateParams): Scope {
  const values = typeof params === 'string' ? parseScopeParams(params) : params
  const fill = (template: string): Filter =>
    parseFilter(substitute(`${definition.readWriteFilterTemplate}\n${template}`, values))
  return { read: fill(definition.readFilterTemplate), write: fill(definition.writeFilterTemplate) }
}

/**
 * The parameters in a `scope_params` text, floats kept apart from integers.
 *
 * @throws MorangoError `certificate-malformed` when the text is not the JSON of an object
 */
export function parseScopeParams(text: string): TemplateParams {
  let value: unknown
  try {
    value = parseJsonWith(text, readNumber)
  } catch (cause) {
    throw new MorangoError('certificate-malformed', 'The scope parameters are not JSON', { cause })
  }
  if (!isPlainObject(value)) {
    throw new MorangoError('certificate-malformed', 'The scope parameters are not a JSON object')
  }
  return value
}

/** Whether `a` reads and writes nothing that `b` does not (protocol §2). */
export function isScopeSubset(a: Scope, b: Scope): boolean {
  return isFilterSubset(a.read, b.read) && isFilterSubset(a.write, b.write)
}

/**
 * Whether two certificates' scopes permit a transfer: the side that sends must be allowed by the other's
 * read filter and its own write filter. The server is looked at first, as in the original (protocol §4).
 */
export function transferPermitted(transfer: {
  readonly push: boolean
  readonly filter: Filter
  readonly client: Scope
  readonly server: Scope
}): TransferPermission {
  const { push, filter, client, server } = transfer
  if (!isFilterSubset(filter, push ? server.read : server.write)) return { permitted: false, side: 'server' }
  if (!isFilterSubset(filter, push ? client.write : client.read)) return { permitted: false, side: 'client' }
  return { permitted: true }
}

function readNumber(text: string): bigint | PythonFloat {
  if (!/[.eE]/.test(text)) return BigInt(text)
  return new PythonFloat(Number(text))
}

function isPlainObject(value: unknown): value is TemplateParams {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

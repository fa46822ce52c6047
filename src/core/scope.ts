import { MorangoError } from './errors.ts'
import { isFilterSubset, parseFilter } from './filter.ts'
import type { Filter } from './filter.ts'
import { MAX_PARTITION, MAX_PREFIXES } from './limits.ts'
import { parseScopeParams, requireFitting } from './scope-params.ts'
import { placeholdersOf, substitute } from './template.ts'
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

/** What the prefixes end with by which a scope denies one way: no record is under them. */
export const NOTHING = ':(nothing)'

/**
 * The scope of a certificate: the definition's templates filled with the certificate's parameters (protocol §2). The
 * one place where parameters become prefixes, so each prefix of the result is one prefix of the definition, filled.
 *
 * @param params - the certificate's `scope_params` text, or values by name. Only the text can tell `1.0`
 * from `1`, which Python prints differently.
 * @throws MorangoError `certificate-malformed` when the text is not the JSON of an object; when a parameter that a
 * template uses is missing, empty, or not one part of a partition; when there are too many prefixes or one is too long
 */
export function scopeOf(definition: ScopeDefinition, params: string | TemplateParams): Scope {
  const values = typeof params === 'string' ? parseScopeParams(params) : params
  requireParams(definition, values)
  const fill = (template: string): Filter => {
    const prefixes = `${definition.readWriteFilterTemplate}\n${template}`
    return parseFilter(prefixes).map((prefix) => requireLength(substitute(prefix, values)))
  }
  const scope = { read: fill(definition.readFilterTemplate), write: fill(definition.writeFilterTemplate) }
  for (const { length } of [scope.read, scope.write]) {
    if (length > MAX_PREFIXES) throw tooMuch(`A scope has ${length} prefixes, more than ${MAX_PREFIXES}`)
  }
  return scope
}

/** The names of the parameters that the templates of a definition use. */
export function paramsUsed(definition: ScopeDefinition): ReadonlySet<string> {
  return new Set(placeholders(definition).map(({ name }) => name))
}

/** Whether `a` reads and writes nothing that `b` does not (protocol §2). */
export function isScopeSubset(a: Scope, b: Scope): boolean {
  return isFilterSubset(a.read, b.read) && isFilterSubset(a.write, b.write)
}

/** What a scope allows, without the prefixes by which it denies one way; that way has none then. */
export function grantedScope({ read, write }: Scope): Scope {
  return { read: grantedPrefixes(read), write: grantedPrefixes(write) }
}

/** The prefixes of a filter that are of something. */
export function grantedPrefixes(filter: Filter): Filter {
  return filter.filter((prefix) => !isNothing(prefix))
}

/**
 * Whether two certificates' scopes permit a transfer: the side that sends must be allowed by the other's
 * read filter and its own write filter. The server is looked at first, as in the original (protocol §4). Under the
 * prefixes by which a scope denies one way nothing is transferred.
 */
export function transferPermitted(transfer: {
  readonly push: boolean
  readonly filter: Filter
  readonly client: Scope
  readonly server: Scope
}): TransferPermission {
  const { push, filter, client, server } = transfer
  const within = (allowed: Filter): boolean => isFilterSubset(filter, grantedPrefixes(allowed))
  if (!within(push ? server.read : server.write)) return { permitted: false, side: 'server' }
  if (!within(push ? client.write : client.read) || filter.some(isNothing)) {
    return { permitted: false, side: 'client' }
  }
  return { permitted: true }
}

function isNothing(prefix: string): boolean {
  return prefix.includes(NOTHING)
}

/** Those of all prefixes; what follows one ends with its prefix. */
function placeholders(definition: ScopeDefinition): ReturnType<typeof placeholdersOf> {
  const { readWriteFilterTemplate, readFilterTemplate, writeFilterTemplate } = definition
  return parseFilter(`${readWriteFilterTemplate}\n${readFilterTemplate}\n${writeFilterTemplate}`).flatMap(
    placeholdersOf,
  )
}

function requireParams(definition: ScopeDefinition, values: TemplateParams): void {
  const isLast = new Map<string, boolean>()
  for (const { name, after } of placeholders(definition)) {
    // The prefix that denies one way narrows its parameter as nothing else does.
    isLast.set(name, (after === '' || after === NOTHING) && isLast.get(name) !== false)
  }
  for (const [name, last] of isLast) {
    requireFitting(name, Object.hasOwn(values, name) ? values[name] : undefined, last)
  }
}

function requireLength(prefix: string): string {
  const tooLong = prefix.length > MAX_PARTITION && Array.from(prefix).length > MAX_PARTITION
  if (tooLong) throw tooMuch(`A prefix of a scope has more than ${MAX_PARTITION} characters`)
  return prefix
}

function tooMuch(message: string): MorangoError {
  return new MorangoError('certificate-malformed', message, {
    hint: 'No partition is longer: use shorter parameters, or a scope of fewer prefixes.',
  })
}

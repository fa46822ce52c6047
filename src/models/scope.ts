import { MAX_PREFIXES, MAX_SCOPE_DEFINITION_ID } from '../core/limits.ts'
import { NOTHING } from '../core/scope.ts'
import type { ScopeDefinition } from '../core/scope.ts'
import { checkLength, declarationError } from './declaration-error.ts'

/** One or more partition prefixes with `${parameter}`s in them. */
export type ScopeTemplate = string | readonly string[]

/** What is said of one kind of certificate. */
export interface ScopeOptions {
  /**
   * The parameter that stands for the root certificate's id. With it the scope can make root certificates,
   * and all its prefixes must begin with it.
   */
  readonly root?: string
  readonly read?: ScopeTemplate
  readonly write?: ScopeTemplate
  readonly readWrite?: ScopeTemplate
  readonly description?: string
  /** Default 1. */
  readonly version?: number
}

/** A kind of certificate; made by {@link scope}. */
export interface ScopeDeclaration {
  readonly root: string
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly readWrite: readonly string[]
  readonly description: string
  readonly version: number
}

/**
 * Declares what the holders of a kind of certificate may read and write: the partitions that begin with one
 * of the prefixes. What is left out is not allowed. A parameter is one part of a partition; end a prefix with a colon
 * after its last one, unless its values all have one length: `user:1` covers `user:12`.
 *
 * @example
 * scope({ root: 'country_id', readWrite: '${country_id}' })
 * scope({ read: '${country_id}:place', readWrite: '${country_id}:user:${user_id}:' })
 */
export function scope(options: ScopeOptions): ScopeDeclaration {
  return {
    root: options.root ?? '',
    read: prefixes(options.read),
    write: prefixes(options.write),
    readWrite: prefixes(options.readWrite),
    description: options.description ?? '',
    version: options.version ?? 1,
  }
}

/**
 * The definition that certificates refer to. On the wire an empty filter means everything (protocol §2), so
 * a side that was left out gets prefixes of no record, inside what the other side may have.
 */
export function toScopeDefinition(profile: string, id: string, declared: ScopeDeclaration): ScopeDefinition {
  const { root, read, write, readWrite } = declared
  checkLength('scope id', id, MAX_SCOPE_DEFINITION_ID)
  if (read.length + write.length + readWrite.length === 0) {
    throw declarationError(
      `Scope "${id}" has no prefix, which on the wire means that it reads and writes everything`,
      'Give it `read`, `write` or `readWrite`',
    )
  }
  if (read.length + write.length + readWrite.length > MAX_PREFIXES) {
    throw declarationError(
      `Scope "${id}" has more than ${MAX_PREFIXES} prefixes, which is all that peers take`,
      'Use shorter prefixes that have more in them, or several scopes',
    )
  }
  if (root !== '') checkRoot(id, root, [...readWrite, ...read, ...write])
  return {
    id,
    profile,
    version: declared.version,
    primaryScopeParamKey: root,
    description: declared.description,
    readFilterTemplate: lines(read.length + readWrite.length === 0 ? write.map(nothingUnder) : read),
    writeFilterTemplate: lines(write.length + readWrite.length === 0 ? read.map(nothingUnder) : write),
    readWriteFilterTemplate: lines(readWrite),
  }
}

function checkRoot(id: string, root: string, templates: readonly string[]): void {
  for (const template of templates) {
    if (template.startsWith(`\${${root}}`)) continue
    throw declarationError(
      `Scope "${id}" makes root certificates, but its prefix "${template}" does not begin with \${${root}}`,
      `Write it as "\${${root}}:${template}", or leave out \`root\` if the scope is for child certificates only`,
    )
  }
}

function prefixes(template: ScopeTemplate | undefined): readonly string[] {
  const texts = template === undefined ? [] : typeof template === 'string' ? [template] : template
  return texts.flatMap((text) => text.split(/\s+/)).filter((prefix) => prefix !== '')
}

function nothingUnder(prefix: string): string {
  return prefix + NOTHING
}

function lines(templates: readonly string[]): string {
  return templates.join('\n')
}

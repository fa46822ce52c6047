import { NOTHING } from '../core/scope.ts'
import type { ScopeDefinition } from '../core/scope.ts'
import { parseFilter } from '../core/filter.ts'
import { placeholdersOf } from '../core/template.ts'
import type { CompiledModel } from './compiled.ts'
import type { Profile } from './profile.ts'

/** A prefix whose last parameter stands for longer values as well: `user:1` covers `user:12`. */
export interface OpenScope {
  readonly scope: string
  readonly prefix: string
  readonly parameter: string
}

/**
 * The prefixes of a profile's scopes that a value opens for others that begin with it: those with no colon after their
 * last parameter. Not counted are parameters whose values all have one length: a root certificate's id, and what has
 * the name of a column that holds ids of 32 hex digits, wherever a model has a column of that name.
 *
 * @param models - compiled, for only the database knows which columns refer to others
 */
export function openScopes(
  { scopes }: Pick<Profile, 'scopes'>,
  models: readonly CompiledModel[],
): OpenScope[] {
  const definitions = Object.values(scopes)
  const roots = new Set(definitions.map(({ primaryScopeParamKey }) => primaryScopeParamKey))
  return definitions.flatMap((definition) =>
    prefixesOf(definition).flatMap((prefix) => {
      const last = placeholdersOf(prefix).at(-1)
      if (last === undefined || last.after.startsWith(':')) return []
      if (roots.has(last.name) || holdsIds(last.name, models)) return []
      return [{ scope: definition.id, prefix, parameter: last.name }]
    }),
  )
}

/** What to say of one. */
export function describeOpenScope({ scope, prefix, parameter }: OpenScope): { what: string; mend: string } {
  return {
    what: `The prefix "${prefix}" of the scope "${scope}" covers all values of ${parameter} that begin with the one meant: 1 covers 12.`,
    mend: `End it with a colon, as the partitions do ("${prefix}:"), or give ${parameter} values of one length only.`,
  }
}

function prefixesOf(definition: ScopeDefinition): string[] {
  const { readWriteFilterTemplate, readFilterTemplate, writeFilterTemplate } = definition
  const all = parseFilter(`${readWriteFilterTemplate}\n${readFilterTemplate}\n${writeFilterTemplate}`)
  // What denies one way is made of the prefixes of the other.
  return [...new Set(all.map((prefix) => prefix.replace(NOTHING, '')))]
}

function holdsIds(name: string, models: readonly CompiledModel[]): boolean {
  const having = models.filter(({ columns }) => columns.some((column) => column.name === name))
  return (
    having.length > 0 &&
    having.every(
      ({ foreignKeys, selfReference }) =>
        name === 'id' || name === selfReference || foreignKeys.some(({ column }) => column === name),
    )
  )
}

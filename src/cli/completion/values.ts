import type { Argument, Option } from 'commander'

/** What values of options and arguments can be, as far as a configuration and its database know it cheaply. */
export const VALUE_KINDS = ['models', 'profiles', 'scopes', 'certificates'] as const

/** One of {@link VALUE_KINDS}. */
export type ValueKind = (typeof VALUE_KINDS)[number]

/** How the shell finds what may stand in a place. */
export type Values =
  | { readonly from: 'list'; readonly list: readonly string[] }
  | { readonly from: 'morango'; readonly kind: ValueKind }
  | { readonly from: 'files' }
  | { readonly from: 'nothing' }

const OPTIONS: ReadonlyMap<string, Values> = new Map<string, Values>([
  ['--profile', { from: 'morango', kind: 'profiles' }],
  ['--model', { from: 'morango', kind: 'models' }],
  ['--scope', { from: 'morango', kind: 'scopes' }],
  ['--certificate', { from: 'morango', kind: 'certificates' }],
  ['--parent', { from: 'morango', kind: 'certificates' }],
  ['--filter', { from: 'morango', kind: 'certificates' }],
  ['--config', { from: 'files' }],
  ['--database', { from: 'files' }],
  ['--output', { from: 'files' }],
])
const ARGUMENTS: ReadonlyMap<string, Values> = new Map<string, Values>([
  ['scope', { from: 'morango', kind: 'scopes' }],
  ['model', { from: 'morango', kind: 'models' }],
  ['table', { from: 'morango', kind: 'models' }],
])

/** What may come after an option; undefined when it takes no value. */
export function valuesOf(option: Option): Values | undefined {
  if (!option.required && !option.optional) return undefined
  if (option.argChoices !== undefined) return { from: 'list', list: option.argChoices }
  return OPTIONS.get(option.long ?? '') ?? { from: 'nothing' }
}

/** What may stand in the place of an argument. */
export function argumentValues(argument: Argument): Values {
  if (argument.argChoices !== undefined) return { from: 'list', list: argument.argChoices }
  return ARGUMENTS.get(argument.name()) ?? { from: 'nothing' }
}

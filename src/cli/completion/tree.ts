import type { Command, Option } from 'commander'
import { allCommands } from '../manual.ts'
import { argumentValues, type Values, valuesOf } from './values.ts'

/** An option as a shell completes it. */
export interface CompletedOption {
  /** `-f` and `--filter`. */
  readonly flags: readonly string[]
  readonly about: string
  /** Undefined when it takes none. */
  readonly values: Values | undefined
}

/** A command as a shell completes it. */
export interface CompletedCommand {
  /** `cert list`; empty for the program itself. */
  readonly path: string
  readonly about: string
  readonly commands: readonly { readonly name: string; readonly about: string }[]
  readonly options: readonly CompletedOption[]
  /** What may stand in the place of its first argument. */
  readonly values: Values
}

/** What there is to complete, read off the program itself. */
export function completionTree(program: Command): CompletedCommand[] {
  const globals = optionsOf(program)
  return [{ path: [], command: program }, ...allCommands(program)].map(({ path, command }) => {
    const [argument] = command.registeredArguments
    return {
      path: path.join(' '),
      about: command.summary(),
      commands: allCommands(command).flatMap((child) =>
        child.path.length === 1 ? [{ name: child.command.name(), about: child.command.summary() }] : [],
      ),
      options: command === program ? globals : [...optionsOf(command), ...globals.filter(isForAll)],
      values: argument === undefined ? { from: 'nothing' } : argumentValues(argument),
    }
  })
}

function optionsOf(command: Command): CompletedOption[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => option.long !== '--help' || command.parent === null)
    .map((option: Option) => ({
      flags: [option.short, option.long].flatMap((flag) => flag ?? []),
      about: option.description,
      values: valuesOf(option),
    }))
}

function isForAll({ flags }: CompletedOption): boolean {
  return !flags.includes('--version')
}

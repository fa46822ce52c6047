import type { Command } from 'commander'

/** A command with the words that lead to it, `cert list` for one. */
export interface NamedCommand {
  readonly path: readonly string[]
  readonly command: Command
}

const FILES = `
Files:
  morango.config.ts, .mts, .js or .mjs in this directory, or what --config names
`

const CODES: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'sync',
    [
      '0        done, also when records wait with a problem',
      '1        failed',
      '2        wrong usage',
      '130 143  stopped by Ctrl-C or SIGTERM',
    ],
  ],
  ['doctor', ['0  nothing worse than a warning', '1  an error was found', '2  wrong usage']],
  ['serve', ['0  stopped in good order', '1  failed', '2  wrong usage']],
])
const USUAL_CODES = ['0  done', '1  failed', '2  wrong usage']
/** These need no configuration. */
const WITHOUT_FILES: ReadonlySet<string> = new Set(['completion', 'init'])

/** All commands that are shown, those that only group others too. */
export function allCommands(program: Command): NamedCommand[] {
  return commandsUnder(program, [])
}

/** Adds to every command's help what is the same for most: its files and its exit codes. */
export function completeManual(program: Command): void {
  for (const { path, command } of allCommands(program)) {
    if (command.commands.length > 0) continue
    const name = path.join(' ')
    const codes = (CODES.get(name) ?? USUAL_CODES).map((line) => `  ${line}`).join('\n')
    const files = WITHOUT_FILES.has(name) ? '' : FILES
    command.addHelpText('after', `${files}\nExit codes:\n${codes}`)
  }
}

function commandsUnder(command: Command, path: readonly string[]): NamedCommand[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help')
    .flatMap((child) => {
      const own = [...path, child.name()]
      return [{ path: own, command: child }, ...commandsUnder(child, own)]
    })
}

import process from 'node:process'
import { type Command, CommanderError } from 'commander'
import { EXIT, explain, ExitWith, failureLines } from './failure.ts'
import { printJson, printNotes } from './output.ts'
import { createPaint } from './paint.ts'
import { createProgram } from './program.ts'
import { terminalOf } from './terminal.ts'

/** Runs the command line, and says so when it fails. Never rejects. */
export async function run(argv: readonly string[]): Promise<number> {
  // A reader that has seen enough, as in `morango problems | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done)
    throw error
  })
  let current: Command | undefined
  const program = createProgram().hook('preAction', (_program, command) => {
    current = command
  })
  try {
    await program.parseAsync(argv)
    return EXIT.done
  } catch (error) {
    if (error instanceof ExitWith) return error.exitCode
    // Commander has said to people what it has to say: help, the version, or what is wrong with the arguments.
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.done
      if (argv.includes('--json')) printJson({ error: usageOf(error) })
      return EXIT.usage
    }
    const flags = current?.optsWithGlobals<{ json?: boolean; verbose?: boolean }>()
    const failure = explain(error)
    if (flags?.json === true) printJson({ error: failure.json })
    const terminal = terminalOf(process.stderr)
    const lines = failureLines(failure, {
      paint: createPaint(terminal.color),
      verbose: flags?.verbose === true,
      // A log is searched by line.
      width: terminal.live ? terminal.width() : Infinity,
    })
    printNotes(lines)
    return failure.exitCode
  }
}

/** Wrong usage as the other failures are told to programs. */
function usageOf({ message }: CommanderError): { code: string; message: string; hint: string } {
  const [first = ''] = message.replace(/^error: /u, '').split('\n')
  return { code: 'usage', message: first, hint: 'See the help: --help after the name of the command.' }
}

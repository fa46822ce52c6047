import type { Command } from 'commander'
import type { Listening } from '../../node/serve.ts'
import { CommandError, explain } from '../failure.ts'
import { count } from '../format.ts'
import { type GlobalFlags, type Opened, withMorango } from '../open.ts'
import { jsonOption, wholeNumber } from '../options.ts'
import { errorLines, printJson, printLines, printNote, printNotes } from '../output.ts'
import { catchStopSignals } from '../stop-signals.ts'

interface Flags extends GlobalFlags {
  readonly port?: number
  readonly host?: string
  readonly json?: boolean
}

const AFTER = `
Stops at Ctrl-C or SIGTERM when the answers under way are given; at a second
one at once. Sessions live in the database: after a restart peers go on where
they were.

It speaks plain HTTP and takes passwords for certificates: put a web server
with TLS in front of it, or mount the routes of morango/server in your own
application. On this machine's own address it answers to localhost and IP
addresses only: name what the web server passes on in \`listen.hosts\` of the
configuration.

Examples:
  $ morango serve
  $ morango serve --host 0.0.0.0 --port 8080`

/** `morango serve` */
export function addServe(program: Command): void {
  program
    .command('serve')
    .summary('let peers sync with this database')
    .description('Lets peers sync with this database, until it is stopped.')
    .option(
      '-p, --port <number>',
      'default: 8080, or as configured; 0 for any free one',
      wholeNumber(0, 65_535),
    )
    .option('--host <address>', 'default: 127.0.0.1, or as configured; 0.0.0.0 for the whole network')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      await withMorango(flags, (opened) => serveUntilStopped(opened, flags))
    })
}

async function serveUntilStopped(opened: Opened, flags: Flags): Promise<void> {
  const say = flags.json === true ? (): void => {} : (text: string): void => printLines([text])
  const stop = catchStopSignals(() => say('Stopping.'))
  try {
    const listening = await startListening(opened, flags)
    const { url } = listening
    if (flags.json === true) printJson({ url })
    else {
      say(`Serving ${opened.config.profiles.map(({ name }) => name).join(', ')} at ${url}`)
      if (opened.config.authorize === undefined)
        say('No one gets certificates here: there is no `authorize`.')
      say('Ctrl-C stops it.')
    }
    await aborted(stop.signal)
    await listening.close()
  } finally {
    stop.release()
  }
}

async function startListening({ morango, config }: Opened, flags: Flags): Promise<Listening> {
  const port = flags.port ?? config.listen?.port ?? 8080
  const hostname = flags.host ?? config.listen?.hostname ?? '127.0.0.1'
  const { listen } = await import('../../node/serve.ts')
  try {
    return await listen(morango, {
      port,
      hostname,
      ...(config.authorize !== undefined && { authorize: config.authorize }),
      customInfo: config.customInfo,
      hosts: config.listen?.hosts,
      routes: { onError: reportAnswer(flags.verbose === true), ...config.listen?.routes },
    })
  } catch (error) {
    throw listenError(error, { port, hostname })
  }
}

/** Tells of the errors that peers hear nothing of. */
function reportAnswer(verbose: boolean): (error: unknown, request: Request, leftOut: number) => void {
  return (error, request, leftOut) => {
    const { pathname } = new URL(request.url)
    const more = leftOut === 0 ? '' : ` (${count(leftOut)} more like it were not shown)`
    printNote(`error: ${request.method} ${pathname}: ${explain(error).message}${more}`)
    if (verbose) printNotes(errorLines(error))
  }
}

function listenError(error: unknown, { port, hostname }: { port: number; hostname: string }): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const failed = (message: string, hint: string): CommandError =>
    new CommandError(message, { hint, code: 'listen', cause: error })
  switch (code) {
    case 'EADDRINUSE':
      return failed(
        `Port ${port} of ${hostname} is in use`,
        'Stop what uses it, or choose another with --port.',
      )
    case 'EACCES':
      return failed(`Port ${port} may not be used`, 'Choose one from 1024 on with --port.')
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return failed(
        `${hostname} is not an address of this machine`,
        'Name one with --host, or 0.0.0.0 for all.',
      )
    default:
      return error
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

import process from 'node:process'
import type { Command } from 'commander'
import { isMorangoError } from '../../core/errors.ts'
import { isHexUuid } from '../../core/ids.ts'
import type { Explanation } from '../../session/explanation.ts'
import { explanationLines } from '../explain-lines.ts'
import { CommandError } from '../failure.ts'
import { type GlobalFlags, withMorango } from '../open.ts'
import { filterOption, jsonOption, profileOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { createPaint } from '../paint.ts'
import { reachPeer } from '../reach.ts'
import { catchStopSignals } from '../stop-signals.ts'
import { terminalOf } from '../terminal.ts'

interface Flags extends GlobalFlags {
  readonly peer?: string
  readonly filter?: readonly string[]
  readonly profile?: string
  readonly json?: boolean
}

const AFTER = `
Walks the chain from the row in this database to the row in a peer's, and names
the first link that fails: the row, its deletion, the triggers, the change, the
store, the filter, the certificates, what the peer has, the transfer, whether it
is applied here, and conflicts that were lost. It changes nothing.

Without --peer it goes by what the last peer told in the last sync. With --peer
it asks that peer what it has now, by a session that moves no record.

The exit code is 0 when an answer was found, whatever it is.

Examples:
  $ morango explain place 61a3…
  $ morango explain place 61a3… --peer https://cloud.example/
  $ morango explain place 61a3… --json | jq -r .verdict.sentence`

/** `morango explain` */
export function addExplain(program: Command): void {
  program
    .command('explain')
    .summary('say why a row did not sync')
    .description('Says why a row or a record did not sync.')
    .argument('<table>', 'the table, or the name of its model')
    .argument('<id>', 'the id of the row')
    .option('--peer <url>', 'ask this peer what it has')
    .addOption(filterOption('the filter of the sync (default: that of the last one)'))
    .addOption(profileOption())
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action((table: string, id: string, _flags: object, command: Command) =>
      runExplain(table, id, command.optsWithGlobals<Flags>()),
    )
}

async function runExplain(table: string, id: string, flags: Flags): Promise<void> {
  const stop = catchStopSignals(() => {})
  try {
    await withMorango(flags, async ({ morango }) => {
      const { peer, filter } = flags
      if (peer !== undefined) await reachPeer(peer, morango, stop.signal)
      const explanation = await morango.explain(table, wireId(id), {
        signal: stop.signal,
        ...(peer !== undefined && { peer }),
        ...(filter !== undefined && { filter: filter.join('\n') }),
      })
      show(explanation, flags)
    })
  } catch (error) {
    // Before anything else can be looked at: that changes are not seen is why nothing syncs.
    if (isMorangoError(error, 'not-migrated')) {
      const verdict = { link: 'tracking', sentence: error.message, hint: error.hint } as const
      show({ model: table, table, id, peer: undefined, verdict, links: [] }, flags)
      return
    }
    if (!stop.signal.aborted) throw error
    throw new CommandError('Stopped before there was an answer', {
      exitCode: stop.exitCode(),
      code: 'aborted',
      cause: error,
    })
  } finally {
    stop.release()
  }
}

function show(explanation: Explanation, { json }: Flags): void {
  if (json === true) {
    printJson(explanation)
    return
  }
  const terminal = terminalOf(process.stdout)
  const paint = createPaint(terminal.color)
  printLines(explanationLines(explanation, { width: terminal.width(), paint }))
}

/** An id as records have it, whichever way a database shows it. */
function wireId(id: string): string {
  const plain = id.toLowerCase().replaceAll('-', '')
  return isHexUuid(plain) ? plain : id
}

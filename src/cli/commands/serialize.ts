import type { Command } from 'commander'
import { counted } from '../format.ts'
import { type GlobalFlags, withMorango } from '../open.ts'
import { confirmDeletionsOption, jsonOption, profileOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { catchStopSignals } from '../stop-signals.ts'

interface Flags extends GlobalFlags {
  readonly confirmDeletions?: boolean
  readonly profile?: string
  readonly json?: boolean
}

const AFTER = `
Every sync does this first. By itself it is for confirming, where peers come to
this database by themselves, that many deletions are meant: without that they
stop before anything is taken over, and so does every transfer.

Examples:
  $ morango serialize
  $ morango serialize --confirm-deletions`

/** `morango serialize` */
export function addSerialize(program: Command): void {
  program
    .command('serialize')
    .summary('take changed rows over, without a sync')
    .description('Takes changed rows over into the store, from which peers get them, without a sync.')
    .addOption(confirmDeletionsOption())
    .addOption(profileOption())
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      const stop = catchStopSignals()
      try {
        await withMorango(flags, async ({ morango }) => {
          const { confirmDeletions } = flags
          const result = await morango.serialize({ signal: stop.signal, confirmDeletions })
          if (flags.json === true) printJson(result)
          else printLines(serializedLines(result))
        })
      } finally {
        stop.release()
      }
    })
}

function serializedLines({
  created,
  updated,
  deleted,
  failed,
}: Readonly<Record<'created' | 'updated' | 'deleted' | 'failed', number>>): string[] {
  const parts = [
    ...(created > 0 ? [`${counted(created, 'record')} created`] : []),
    ...(updated > 0 ? [`${counted(updated, 'record')} updated`] : []),
    ...(deleted > 0 ? [`${counted(deleted, 'record')} deleted`] : []),
  ]
  const lines = [parts.length === 0 ? 'Nothing to take over.' : `Taken over: ${parts.join(', ')}.`]
  if (failed > 0) lines.push(`${counted(failed, 'row')} could not be: see \`morango problems\`.`)
  return lines
}

import type { Command } from 'commander'
import { counted } from '../format.ts'
import { type GlobalFlags, withMorango } from '../open.ts'
import { hours, jsonOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'

interface Flags extends GlobalFlags {
  readonly olderThan: number
  readonly json?: boolean
}

const AFTER = `
Closes sessions in which nothing has happened for a while, and deletes what
they had received and not merged yet; a later sync transfers that again.
Nothing else is lost. Conflicts that were restored or dismissed more than
30 days ago are forgotten, and sessions that were over by then, but for the
last ones with each peer. A server does so by itself with those it serves.

Examples:
  $ morango cleanup
  $ morango cleanup --older-than 48`

/** `morango cleanup` */
export function addCleanup(program: Command): void {
  program
    .command('cleanup')
    .summary('close sessions that were left unfinished')
    .description('Closes sessions that were left unfinished, and frees what they hold.')
    .option('--older-than <hours>', 'for how long nothing has happened in them', hours, 6)
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      await withMorango(flags, async ({ morango }) => {
        const olderThan = new Date(Date.now() - flags.olderThan * 3_600_000)
        const report = await morango.cleanup({ olderThan })
        const { closedSessions, forgottenConflicts, forgottenSessions } = report
        const done = [
          ...(closedSessions === 0
            ? []
            : [`Closed ${counted(closedSessions, 'session')} in which nothing has happened for long.`]),
          ...(forgottenConflicts === 0 ? [] : [`Forgot ${counted(forgottenConflicts, 'settled conflict')}.`]),
          ...(forgottenSessions === 0
            ? []
            : [
                `Forgot ${counted(forgottenSessions, 'session')} that ${forgottenSessions === 1 ? 'was' : 'were'} over for long.`,
              ]),
        ]
        if (flags.json === true) printJson(report)
        else printLines(done.length === 0 ? ['Nothing to clean up.'] : done)
      })
    })
}

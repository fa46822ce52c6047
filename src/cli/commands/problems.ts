import process from 'node:process'
import type { Command } from 'commander'
import { type GlobalFlags, withMorango } from '../open.ts'
import { jsonOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { problemLines } from '../problem-texts.ts'
import { terminalOf } from '../terminal.ts'

const AFTER = `
A row that cannot be sent, or a received record that cannot be applied, holds
up no other and is never dropped: it waits here with the reason, and is tried
again at every sync. Mend the reason (a missing parent row, a value that
clashes), then sync.

Examples:
  $ morango problems
  $ morango problems --json | jq -r '.[] | [.model, .id, .message] | @tsv'`

/** `morango problems` */
export function addProblems(program: Command): void {
  program
    .command('problems')
    .summary('list the records that wait, with their reasons')
    .description('Lists the records that could not be sent or applied, with their reasons.')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<GlobalFlags & { json?: boolean }>()
      await withMorango(flags, async ({ morango }) => {
        const problems = await morango.problems()
        if (flags.json === true) {
          printJson(problems)
          return
        }
        const { unserialized, undeserialized } = (await morango.status()).problems
        const total = Math.max(problems.length, unserialized + undeserialized)
        printLines(problemLines(problems, total, terminalOf(process.stdout).width()))
      })
    })
}

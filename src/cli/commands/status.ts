import process from 'node:process'
import type { Command } from 'commander'
import { type GlobalFlags, withMorango } from '../open.ts'
import { jsonOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { createPaint } from '../paint.ts'
import { statusLines } from '../status-lines.ts'
import { terminalOf } from '../terminal.ts'

const AFTER = `
Shows which instance this database is, its counter, the changes that the next
sync will take up, the records that wait with a problem, and the latest
sessions.

Examples:
  $ morango status
  $ morango status --json | jq .pendingChanges`

/** `morango status` */
export function addStatus(program: Command): void {
  program
    .command('status')
    .summary('show where this database stands')
    .description('Shows where this database stands.')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<GlobalFlags & { json?: boolean }>()
      await withMorango(flags, async ({ morango, database }) => {
        const status = await morango.status()
        if (flags.json === true) {
          printJson({ database: database.description, ...status })
          return
        }
        const terminal = terminalOf(process.stdout)
        const paint = createPaint(terminal.color)
        printLines(statusLines(status, { database: database.description, width: terminal.width(), paint }))
      })
    })
}

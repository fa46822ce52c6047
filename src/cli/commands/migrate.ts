import type { Command } from 'commander'
import type { MigrationReport } from '../../storage/prepare.ts'
import { counted } from '../format.ts'
import { type GlobalFlags, withDatabase } from '../open.ts'
import { jsonOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'

const AFTER = `
Makes the tables that syncing needs, and the triggers that log changes to
yours. Rows that are there already are logged, so that nothing written before
is missed. It may be run at any time, and should be after every change to your
tables.

Example:
  $ morango migrate`

/** `morango migrate` */
export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .summary('make the database ready to sync')
    .description('Makes the database ready to sync.')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<GlobalFlags & { json?: boolean }>()
      await withDatabase(flags, async (database, config) => {
        const { migrate } = await import('../../storage/prepare.ts')
        const report = await migrate(database, config.profiles)
        if (flags.json === true) printJson(report)
        else printLines(migrationLines(report, database.description))
      })
    })
}

function migrationLines({ addedColumns, tracked, logged }: MigrationReport, database: string): string[] {
  const lines = [`${database} is ready to sync.`]
  if (addedColumns.length > 0) lines.push(`  columns added   ${addedColumns.join(', ')}`)
  if (tracked.length > 0) lines.push(`  now watched     ${tracked.join(', ')}`)
  if (logged > 0) lines.push(`  to be synced    ${counted(logged, 'row')} that no trigger had seen`)
  if (lines.length === 1) lines.push('  Nothing had to be changed.')
  return lines
}

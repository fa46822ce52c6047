import type { Command } from 'commander'
import type { MorangoConfig } from '../../config.ts'
import type { GuardedMigrationReport } from '../../storage/guarded-migration.ts'
import type { Database } from '../../storage/dialect.ts'
import { findingLines } from '../finding-lines.ts'
import { counted, wrap } from '../format.ts'
import { type GlobalFlags, withDatabase } from '../open.ts'
import { jsonOption } from '../options.ts'
import { printJson, printLines, printNote } from '../output.ts'
import { runTool } from '../run-tool.ts'

interface Flags extends GlobalFlags {
  readonly keepDeletions?: boolean
  readonly json?: boolean
}

const AFTER = `
Makes the tables that syncing needs, and the triggers that log changes to
yours. What no trigger has seen is found and logged, so that nothing written
before is missed. It may be run at any time, and should be after every change
to your tables.

Better still, let it run the tool that changes them: put that command after --.
Tools rebuild tables, which removes triggers and can delete rows of tables that
refer to them. Rows that the tool deletes are written again, unless
--keep-deletions says that they were meant; what it adds and edits is synced.
Stop the application meanwhile: what that deletes would come back, too.

Examples:
  $ morango migrate
  $ morango migrate -- npx drizzle-kit migrate`

/** `morango migrate` */
export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .summary('make the database ready to sync')
    .description('Makes the database ready to sync; around a migration tool, if one is named.')
    .usage('[options] [-- command...]')
    .argument('[command...]', 'the migration tool to run, with its arguments')
    .option('--keep-deletions', 'rows that the tool deletes are meant to be deleted, on all peers')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (tool: readonly string[], _flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      const failure = tool.length === 0 ? undefined : await aroundTool(flags, tool)
      await withDatabase(flags, (database, config) => finish(flags, database, config))
      if (failure !== undefined) throw failure
    })
}

// The database is closed while the tool runs: not every kind lets two in.
async function aroundTool(
  flags: Flags,
  tool: readonly string[],
): Promise<Awaited<ReturnType<typeof runTool>>> {
  await withDatabase(flags, async (database, config) => {
    const { beginMigration } = await import('../../storage/guarded-migration.ts')
    const { unprotected } = await beginMigration(database, config.profiles)
    if (unprotected.length > 0) {
      const list = unprotected.join(', ')
      printNote(`note: there is no table yet that fits the declaration of ${list}; it is not looked after.`)
    }
  })
  return await runTool(tool)
}

async function finish(flags: Flags, database: Database, config: MorangoConfig): Promise<void> {
  const { finishMigration } = await import('../../storage/guarded-migration.ts')
  const { keepDeletions } = flags
  const report = await finishMigration(database, config.profiles, undefined, { keepDeletions })
  if (flags.json === true) printJson(report)
  else printLines(migrationLines(report, database.description))
}

function migrationLines(report: GuardedMigrationReport, database: string): string[] {
  const { addedColumns, changedColumns, tracked, filled, logged, found, restored, broughtBack, held } = report
  const lines = [`${database} is ready to sync.`]
  if (addedColumns.length > 0) lines.push(`  columns added   ${addedColumns.join(', ')}`)
  lines.push(...changedColumns.map(({ model, change }) => `  columns         ${model} ${change}`))
  if (filled > 0) lines.push(`  filled in       ${counted(filled, 'row')}, from what peers had sent before`)
  if (tracked.length > 0) lines.push(`  now watched     ${tracked.join(', ')}`)
  if (logged > 0) {
    const what = counted(logged, found.length === 0 ? 'row' : 'change')
    lines.push(`  to be synced    ${what} that no trigger had seen`)
  }
  lines.push(...found.flatMap(findingLines))
  if (restored > 0) lines.push(`  brought back    ${counted(broughtBack, 'row')} that the tool had deleted`)
  if (broughtBack < restored) {
    lines.push(`  not written     ${counted(restored - broughtBack, 'record')}: see \`morango problems\``)
  }
  if (lines.length === 1) lines.push('  Nothing had to be changed.')
  if (held.length > 0) {
    const text =
      `Rows of ${held.join(', ')} are gone since a tool rebuilt a table, perhaps by its doing. No sync will start ` +
      `until you decide: \`morango rescan --restore\` brings them back, \`--confirm-deletions\` with the next sync ` +
      'deletes them on every peer.'
    lines.push('', ...wrap(text, 79))
  }
  return lines
}

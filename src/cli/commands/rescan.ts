import process from 'node:process'
import { type Command, Option } from 'commander'
import type { RescanFinding, RescanOptions } from '../../storage/rescan.ts'
import { findingLines } from '../finding-lines.ts'
import { counted } from '../format.ts'
import { type GlobalFlags, withMorango } from '../open.ts'
import { jsonOption, profileOption } from '../options.ts'
import { printJson, printLines, printNote, redraw } from '../output.ts'
import { catchStopSignals } from '../stop-signals.ts'

interface Flags extends GlobalFlags {
  readonly model?: readonly string[]
  readonly dryRun?: boolean
  readonly restore?: boolean
  readonly profile?: string
  readonly json?: boolean
}

const AFTER = `
Triggers see every write but those that were made while they were missing, or by
a program that switched them off. This compares every row with what was
synced, says what it finds, and logs it, so that the next sync takes it along:
rows that are missing there, rows that differ, and records whose row is gone.

With --restore it does the opposite for rows that are gone: those whose deletion
was not synced yet are written again. That is the way back from an accident.

Examples:
  $ morango rescan --dry-run
  $ morango rescan --model visit --model note
  $ morango rescan --restore`

/** `morango rescan` */
export function addRescan(program: Command): void {
  program
    .command('rescan')
    .summary('find changes that no trigger has seen')
    .description('Compares the tables with what was synced, and finds changes that no trigger has seen.')
    .option('-n, --dry-run', 'only say what there is')
    .addOption(
      new Option('-m, --model <name>', 'only this model; may be given again for others').argParser(
        (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
      ),
    )
    .option('--restore', 'write rows again that are gone, instead of having their deletion synced')
    .addOption(profileOption())
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action((_flags: object, command: Command) => runRescan(command.optsWithGlobals<Flags>()))
}

async function runRescan(flags: Flags): Promise<void> {
  const stop = catchStopSignals(() => printNote('Stopping; once more to stop at once.'))
  try {
    await withMorango(flags, async ({ morango }) => {
      const json = flags.json === true
      const { model: models, dryRun } = flags
      if (flags.restore === true) {
        const result = await morango.restoreDeleted({
          ...(models !== undefined && { models }),
          ...(dryRun !== undefined && { dryRun }),
        })
        if (json) printJson(result)
        else printLines(restoredLines(result, dryRun === true))
        return
      }
      const options: RescanOptions = {
        models,
        dryRun,
        signal: stop.signal,
        ...(!json && { onFound: (found) => printLines(foundLines(found)) }),
        ...(!json && process.stderr.isTTY && { onProgress: showProgress }),
      }
      const report = await morango.rescan(options)
      if (json) printJson(report)
      else if (report.logged > 0) {
        printLines(['', `Logged ${counted(report.logged, 'change')}: the next sync takes them along.`])
      } else if (report.models.some((one) => one.missing + one.different + one.extra > 0)) {
        printLines(['', 'Nothing was logged. Run it without --dry-run to have this synced.'])
      }
    })
  } finally {
    stop.release()
  }
}

function showProgress({ model, done }: { readonly model: string; readonly done: number }): void {
  redraw([], `${model}: ${counted(done, 'row')}`)
}

function foundLines(found: readonly RescanFinding[]): string[] {
  if (process.stderr.isTTY) redraw([], '')
  const rows = found.reduce((sum, one) => sum + one.rows, 0)
  const lines = found.flatMap(findingLines)
  const compared = `Compared ${counted(rows, 'row')} of ${counted(found.length, 'model')}`
  return lines.length === 0
    ? [`${compared}: nothing has bypassed the triggers.`]
    : [`${compared}. What no trigger has seen:`, ...lines]
}

function restoredLines({ found, written }: { found: number; written: number }, dryRun: boolean): string[] {
  if (found === 0) return ['No row is gone whose deletion was not synced.']
  if (dryRun) return [`${counted(found, 'row')} would be written again. Run it without --dry-run.`]
  const lines = [`${counted(written, 'row')} written again.`]
  if (written < found) {
    lines.push(`${counted(found - written, 'record')} could not be: see \`morango problems\`.`)
  }
  return lines
}

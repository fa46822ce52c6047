import process from 'node:process'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ConflictQuery } from '../../storage/conflicts.ts'
import { conflictDetailLines, conflictLines } from '../conflict-lines.ts'
import { usageError } from '../failure.ts'
import { counted } from '../format.ts'
import { type GlobalFlags, withMorango } from '../open.ts'
import { jsonOption, wholeNumber } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { terminalOf } from '../terminal.ts'

const AFTER = `
A record that was edited on two sides without a sync in between is a conflict.
It is settled at once and holds up nothing: the side that receives keeps its
content, or the model's \`merge\` makes one of both. What lost is kept here, on
this device alone, until it is dismissed.

Examples:
  $ morango conflicts
  $ morango conflicts show 12
  $ morango conflicts restore 12
  $ morango conflicts dismiss --all --model place`

type Flags = GlobalFlags & { readonly json?: boolean }

/** `morango conflicts …` */
export function addConflicts(program: Command): void {
  const conflicts = program
    .command('conflicts')
    .summary('list, show, restore and dismiss what lost a conflict')
    .description('Conflicts: what was edited on two sides, and what became of it.')
    .addHelpText('after', AFTER)
  addList(conflicts)
  addShow(conflicts)
  addRestore(conflicts)
  addDismiss(conflicts)
}

function addList(conflicts: Command): void {
  conflicts
    .command('list', { isDefault: true })
    .summary('list them (this is what `conflicts` alone does)')
    .description('Lists conflicts, the latest first.')
    .option('--model <name>', 'only of this model')
    .option('--record <id>', 'only of this record')
    .addOption(
      new Option('--state <state>', 'whether they were dealt with')
        .choices(['open', 'restored', 'dismissed', 'all'])
        .default('open'),
    )
    .option('--limit <n>', 'at most so many', wholeNumber(1), 1000)
    .option('--before <id>', 'only those before this one, for the next page', wholeNumber(1))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ morango conflicts list --model place
  $ morango conflicts list --state all --json | jq length`,
    )
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags & ConflictQuery & { readonly record?: string }>()
      const { model, record: recordId, state, limit, before } = flags
      await withMorango(flags, async ({ morango }) => {
        const found = await morango.conflicts.list({ model, recordId, state, limit, before })
        if (flags.json === true) printJson(found)
        else {
          const total = await morango.conflicts.count({ model, recordId, state })
          printLines(conflictLines(found, total, width()))
        }
      })
    })
}

function addShow(conflicts: Command): void {
  conflicts
    .command('show')
    .argument('<id>', 'the number in the list', conflictId)
    .summary('show both contents, field by field')
    .description('Shows both contents field by field, and what came of them.')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Example:
  $ morango conflicts show 12`,
    )
    .action(async (id: number, _flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      await withMorango(flags, async ({ morango }) => {
        const conflict = await morango.conflicts.show(id)
        if (flags.json === true) printJson(conflict)
        else printLines(conflictDetailLines(conflict, width()))
      })
    })
}

function addRestore(conflicts: Command): void {
  conflicts
    .command('restore')
    .argument('<id>', 'the number in the list', conflictId)
    .summary('take back what lost, as a new edit')
    .description('Writes the content that lost into its row, as a new edit that the next sync takes on.')
    .addOption(
      new Option('--side <side>', 'which content; to be said when both were merged').choices([
        'ours',
        'theirs',
      ]),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ morango conflicts restore 12
  $ morango conflicts restore 12 --side theirs`,
    )
    .action(async (id: number, _flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags & { readonly side?: 'ours' | 'theirs' }>()
      await withMorango(flags, async ({ morango }) => {
        await morango.conflicts.restore(id, { side: flags.side })
        if (flags.json === true) printJson({ restored: id })
        else printLines([`Restored conflict ${id}. The next sync takes it to others.`])
      })
    })
}

function addDismiss(conflicts: Command): void {
  conflicts
    .command('dismiss')
    .argument('[id]', 'the number in the list', conflictId)
    .summary('take one, or all, from the list')
    .description('Takes conflicts from the list of those open. `cleanup` forgets them 30 days later.')
    .option('--all', 'all that are open')
    .option('--model <name>', 'with --all: only of this model')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ morango conflicts dismiss 12
  $ morango conflicts dismiss --all --model place`,
    )
    .action(async (id: number | undefined, _flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags & { readonly all?: boolean; readonly model?: string }>()
      const { all = false, model } = flags
      if (all === (id !== undefined)) {
        throw usageError(
          'Name one conflict, or all',
          'Write `morango conflicts dismiss ID`, or --all instead.',
        )
      }
      await withMorango(flags, async ({ morango }) => {
        let dismissed = 1
        if (id === undefined) dismissed = await morango.conflicts.dismissAll({ model })
        else await morango.conflicts.dismiss(id)
        if (flags.json === true) printJson({ dismissed })
        else printLines([`Dismissed ${counted(dismissed, 'conflict')}.`])
      })
    })
}

function conflictId(text: string): number {
  const id = /^\d+$/u.test(text) ? Number(text) : 0
  if (id > 0 && Number.isSafeInteger(id)) return id
  throw new InvalidArgumentError('It must be the number of a conflict, as `morango conflicts` lists it.')
}

function width(): number {
  return terminalOf(process.stdout).width()
}

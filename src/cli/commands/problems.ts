import process from 'node:process'
import { type Command, Option } from 'commander'
import type { ProblemQuery } from '../../storage/problems.ts'
import { counted } from '../format.ts'
import { type GlobalFlags, withMorango } from '../open.ts'
import { jsonOption, wholeNumber } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { problemDetailLines, problemLines } from '../problem-texts.ts'
import { terminalOf } from '../terminal.ts'

const AFTER = `
A row that cannot be sent, or a received record that cannot be applied, holds
up no other and is never dropped: it waits here with the reason. It is tried
again by itself after growing pauses, and at once when what it waits for has
arrived or changed. Mend the reason (a missing parent row, a value that
clashes), then sync, or run \`morango problems retry\`. What waits for a
decision (a taken id, a deletion that reaches further than its sender may) is
decided with \`morango problems accept\`.

Examples:
  $ morango problems
  $ morango problems --model place --code unique
  $ morango problems show place 5b1f0c2e9a7d4e6f8a1b2c3d4e5f6071
  $ morango problems --json | jq -r '.[] | [.model, .id, .message] | @tsv'`

type Flags = GlobalFlags & { readonly json?: boolean }

/** `morango problems …` */
export function addProblems(program: Command): void {
  const problems = program
    .command('problems')
    .summary('list the records that wait, with their reasons')
    .description('Lists the records that could not be sent or applied, with their reasons.')
    .addHelpText('after', AFTER)
  addList(problems)
  addShow(problems)
  addRetry(problems)
  addAccept(problems)
}

function addList(problems: Command): void {
  problems
    .command('list', { isDefault: true })
    .summary('list them (this is what `problems` alone does)')
    .description('Lists what waits, the latest first.')
    .option('--model <name>', 'only of this model')
    .option('--code <code>', 'only with this reason, such as foreign-key-missing')
    .addOption(
      new Option('--kind <kind>', 'only what could not be sent, or applied').choices([
        'not-serialized',
        'not-applied',
      ]),
    )
    .option('--partition <prefix>', 'only under this partition prefix')
    .option('--limit <n>', 'at most so many', wholeNumber(1), 1000)
    .option('--offset <n>', 'pass over so many, for the next page', wholeNumber(0), 0)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ morango problems list --model place --code unique
  $ morango problems list --kind not-applied --json | jq length`,
    )
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags & ProblemQuery>()
      const { model, code, kind, partition, limit, offset } = flags
      const query = { model, code, kind, partition }
      await withMorango(flags, async ({ morango }) => {
        const found = await morango.problems({ ...query, limit, offset })
        if (flags.json === true) printJson(found)
        else printLines(problemLines(found, await morango.problems.count(query), width()))
      })
    })
}

function addShow(problems: Command): void {
  problems
    .command('show <model> <id>')
    .summary('show one with both sides and what is in its way')
    .description('Shows the record as it arrived, the row as it is, and what is in its way now.')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Example:
  $ morango problems show place 5b1f0c2e9a7d4e6f8a1b2c3d4e5f6071`,
    )
    .action(async (model: string, id: string, _flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      await withMorango(flags, async ({ morango }) => {
        const details = await morango.problems.show(model, id)
        if (flags.json === true) printJson(details)
        else printLines(problemDetailLines(details, width()))
      })
    })
}

function addRetry(problems: Command): void {
  problems
    .command('retry')
    .summary('try all again, without a sync')
    .description('Tries all that waits again, without a sync.')
    .option('--partition <prefix>', 'only what is under this partition prefix')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ morango problems retry
  $ morango problems retry --partition 5b1f0c2e9a7d4e6f8a1b2c3d4e5f6071:place`,
    )
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags & { readonly partition?: string }>()
      const { partition } = flags
      await withMorango(flags, async ({ morango }) => {
        const before = await morango.problems.count({ partition })
        const report = await morango.problems.retry({ partition })
        if (flags.json === true) printJson({ before, ...report })
        else if (before === 0) printLines(['No problems: nothing to try again.'])
        else if (report.left === 0) printLines([`Solved: ${counted(before, 'problem')}. None is left.`])
        else {
          printLines([
            `Solved: ${counted(Math.max(0, before - report.left), 'problem')}. Left: ${report.left}.`,
            'See why: morango problems',
          ])
        }
      })
    })
}

function addAccept(problems: Command): void {
  problems
    .command('accept <model> <id>')
    .summary('decide for a record or a deletion that waits')
    .description(
      'Decides for what waits: a record whose id is taken takes the place of the one that has it, which is set ' +
        'aside; a deletion that reaches where its sender may not write is carried out as your own.',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Example:
  $ morango problems accept place 5b1f0c2e9a7d4e6f8a1b2c3d4e5f6071`,
    )
    .action(async (model: string, id: string, _flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      await withMorango(flags, async ({ morango }) => {
        await morango.problems.accept(model, id)
        if (flags.json === true) printJson({ accepted: { model, id } })
        else printLines(['Accepted. The next sync takes it to the peers.'])
      })
    })
}

function width(): number {
  return terminalOf(process.stdout).width()
}

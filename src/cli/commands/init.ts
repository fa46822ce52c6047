import { existsSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import type { Command } from 'commander'
import { CommandError, usageError } from '../failure.ts'
import { counted, oneLine, wrap } from '../format.ts'
import { type Asker, createAsker } from '../init/ask.ts'
import { configText } from '../init/config-text.ts'
import { openPlace, placeProblem } from '../init/place.ts'
import { type Proposal, propose, type Wishes } from '../init/propose.ts'
import { readSampledTables, type SampledTable } from '../init/samples.ts'
import { dataset, jsonOption, nameList } from '../options.ts'
import { printJson, printLines, printNote } from '../output.ts'
import { terminalOf } from '../terminal.ts'

interface Flags {
  readonly database?: string
  readonly profile?: string
  readonly tables?: readonly string[]
  readonly partition?: string
  readonly dataset?: string
  readonly output: string
  readonly yes?: boolean
  readonly force?: boolean
  readonly json?: boolean
}

const AFTER = `
Reads the tables of an existing SQLite or PostgreSQL database, asks, and writes
a configuration: which tables can sync (and why others cannot), who gets their
rows, and what SQL does not tell of their columns. The database is only read.
Without a terminal, or with --yes, nothing is asked.

Rows are divided by the column of --partition. One that holds ids of root
certificates says alone who gets a row; any other divides one dataset in parts;
without one all rows are of one dataset, whose id is written into the file.

Examples:
  $ morango init
  $ morango init --database clinic.db --yes
  $ morango init --database postgres://app@db.example/clinic \\
      --tables patient,visit --partition site --yes

Files:
  morango.config.ts in this directory, or what --output names: it is written,
  over one that is there only with --force`

/** `morango init` */
export function addInit(program: Command): void {
  program
    .command('init')
    .summary('write a configuration for an existing database')
    .description('Writes a configuration for an existing database.')
    .option('-d, --database <place>', 'a SQLite file, or a postgres:// URL')
    .option('--profile <name>', 'what syncs together, by name (default: "app")')
    .option('--tables <names>', 'the tables, with commas (default: all that can)', nameList)
    .option('--partition <column>', 'the column that says who gets a row')
    .option('--dataset <id>', 'the id of the root certificate, if there is one', dataset)
    .option('-o, --output <file>', 'the file to write', 'morango.config.ts')
    .option('-y, --yes', 'ask nothing: take what is proposed')
    .option('--force', 'write over a file that is there')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action((flags: Flags) => init(flags))
}

async function init(flags: Flags): Promise<void> {
  const asks = flags.yes !== true && flags.json !== true && process.stdin.isTTY && process.stderr.isTTY
  if (existsSync(flags.output) && flags.force !== true) {
    throw usageError(
      `There is a file ${flags.output} already`,
      'Choose another name with --output, or write over it with --force.',
    )
  }
  if (!asks && (flags.database === undefined || flags.yes !== true)) {
    throw usageError(
      'There is nobody to ask',
      'Give --database and --yes, and what else is known: --tables, --partition, --profile, --dataset.',
    )
  }
  const asker = asks ? createAsker() : undefined
  try {
    await initWith(flags, asker)
  } finally {
    asker?.close()
  }
}

async function initWith(flags: Flags, asker: Asker | undefined): Promise<void> {
  const named =
    flags.database ?? (await asker?.ask('Database, a SQLite file or a postgres:// URL', '', placeProblem))
  const opened = await openPlace(named ?? '')
  let tables: SampledTable[]
  try {
    tables = await readSampledTables(opened.database)
  } finally {
    await opened.close()
  }
  const profile =
    flags.profile ?? (await asker?.ask('Name of what syncs together', 'app', profileProblem)) ?? 'app'
  const problem = profileProblem(profile)
  if (problem !== undefined) throw usageError(`The profile cannot be called "${profile}"`, problem)
  const proposal = await settle(tables, { ...flags, profile }, asker)
  if (proposal.tables.length === 0) {
    const reasons = proposal.refused.map(({ table, reason }) => `${table}: ${reason}`)
    throw new CommandError(
      reasons.length === 0 ? `${named} has no tables` : `No table can sync as it is. ${reasons.join('; ')}`,
      {
        hint: 'Change the tables, as docs/getting-started.md says, and run it again.',
        code: 'nothing-to-sync',
      },
    )
  }
  const text = configText(proposal, { place: opened.place, profile, dataset: flags.dataset ?? '' })
  writeFileSync(flags.output, text, { flag: flags.force === true ? 'w' : 'wx' })
  if (flags.json === true) printJson({ written: flags.output, profile, ...proposal })
  else {
    if (asker === undefined) printLines(proposalLines(proposal))
    printLines(['', `${flags.output} is written. Look through it, then:`, ...nextSteps(flags, proposal)])
  }
}

/** What is to be written, as it is proposed and then as it is answered. */
async function settle(
  tables: readonly SampledTable[],
  wishes: Wishes,
  asker: Asker | undefined,
): Promise<Proposal> {
  const first = propose(tables, wishes)
  if (asker === undefined || first.tables.length === 0) return first
  for (const line of proposalLines(first)) printNote(line)
  printNote('')
  const able = first.tables.map(({ table }) => table)
  const names =
    wishes.tables ??
    nameList(
      await asker.ask('Tables that sync', able.join(','), (answer) => {
        const unknown = nameList(answer).find((name) => !able.includes(name))
        return unknown === undefined ? undefined : `"${unknown}" is none of: ${able.join(', ')}.`
      }),
    )
  const found = first.ownership.column ?? 'none'
  const column =
    wishes.partition ??
    (await asker.ask('Column that says who gets a row, or none', found, (answer) => {
      const known = tables.some(
        ({ info }) => names.includes(info.name) && info.columns.some(({ name }) => name === answer),
      )
      return known || answer === 'none' ? undefined : `None of the tables has a column "${answer}".`
    }))
  return propose(tables, { ...wishes, tables: names, partition: column === 'none' ? undefined : column })
}

function proposalLines({ ownership, tables, refused }: Proposal): string[] {
  const width = Math.min(terminalOf(process.stdout).width(), 100) - 1
  const lines = [`${counted(tables.length, 'table')} can sync:`]
  for (const { table, columns, remarks } of tables) {
    const declared = Object.entries(columns).map(
      ([name, kind]) =>
        `${name} as ${typeof kind === 'string' ? kind : `${kind.kind} (${String(kind.storage)})`}`,
    )
    lines.push(...item(table, [...declared, ...remarks].join('; '), width))
  }
  if (refused.length > 0) lines.push(`${counted(refused.length, 'table')} cannot, as they are:`)
  for (const { table, reason } of refused) lines.push(...item(table, reason, width))
  const who =
    ownership.by === 'column'
      ? `Who gets a row is said by its ${ownership.column}, the id of a root certificate.`
      : ownership.column === undefined
        ? 'All rows are of one dataset.'
        : `All rows are of one dataset, in parts by ${ownership.column}.`
  return [...lines, who]
}

const NAME = 18

function item(table: string, text: string, width: number): string[] {
  const lines = wrap(oneLine(text), width - NAME - 2)
  const name = `  ${oneLine(table).padEnd(NAME)}`
  if (name.length > NAME + 2) return [name, ...lines.map((line) => ' '.repeat(NAME + 2) + line)]
  const [first = '', ...more] = lines
  return [(name + first).trimEnd(), ...more.map((line) => ' '.repeat(NAME + 2) + line)]
}

function nextSteps({ output, dataset: id }: Flags, { ownership }: Proposal): string[] {
  const morango = output === 'morango.config.ts' ? 'morango' : `morango -c ${output}`
  if (id !== undefined) return [`  $ ${morango} migrate`]
  const then =
    ownership.by === 'dataset'
      ? `Put the id that it prints into \`dataset\` in ${output}: the file is then the same on all devices.`
      : `The id that it prints is what ${ownership.column} must be in the rows that sync.`
  return [`  $ ${morango} migrate`, `  $ ${morango} cert create-root owner`, ...wrap(then, 79)]
}

function profileProblem(name: string): string | undefined {
  return /^[A-Za-z][\w -]{0,19}$/u.test(name) ? undefined : 'It must be up to 20 letters and digits.'
}

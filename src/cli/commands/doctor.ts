import process from 'node:process'
import type { Command } from 'commander'
import type { MorangoConfig } from '../../config.ts'
import type { Diagnosis } from '../../diagnosis/diagnose.ts'
import { diagnosisLines } from '../diagnosis-lines.ts'
import { EXIT, explain, ExitWith } from '../failure.ts'
import { loadConfig } from '../load-config.ts'
import { type GlobalFlags, openDatabase } from '../open.ts'
import { jsonOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { createPaint } from '../paint.ts'
import { terminalOf } from '../terminal.ts'

const AFTER = `
Looks at everything at once: the configuration, the database and its disk,
whether changes of the tables are seen, whether the database was copied or
fell back, certificates and their keys, changes and records that wait, what
syncs have left, and the clock. It changes nothing, and works where the other
commands refuse to start.

  error    something does not work until it is mended
  warning  something will hurt
  note     worth knowing

Examples:
  $ morango doctor
  $ morango doctor --json | jq -r '.checks[].findings[] | .code'`

/** `morango doctor` */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('check everything, and say how to mend it')
    .description('Checks everything that can keep this database from syncing.')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<GlobalFlags & { json?: boolean }>()
      const diagnosis = await examine(flags)
      if (flags.json === true) printJson(diagnosis)
      else {
        const terminal = terminalOf(process.stdout)
        printLines(diagnosisLines(diagnosis, { width: terminal.width(), paint: createPaint(terminal.color) }))
      }
      if (diagnosis.severity === 'error') throw new ExitWith(EXIT.failed)
    })
}

async function examine(flags: GlobalFlags): Promise<Diagnosis> {
  let config: MorangoConfig
  try {
    config = await loadConfig(flags.config)
  } catch (error) {
    return await nothingToExamine('configuration', 'configuration-unusable', 'no database', error)
  }
  let database: Awaited<ReturnType<typeof openDatabase>>
  try {
    database = await openDatabase(config)
  } catch (error) {
    return await nothingToExamine('database', 'database-unopened', 'the database could not be opened', error)
  }
  try {
    const { diagnose } = await import('../../diagnosis/diagnose.ts')
    return await diagnose({ database, profiles: config.profiles })
  } finally {
    await database.close()
  }
}

async function nothingToExamine(
  name: string,
  code: string,
  description: string,
  error: unknown,
): Promise<Diagnosis> {
  const { VERSION } = await import('../../version.ts')
  const { message, hint } = explain(error)
  return {
    severity: 'error',
    database: description,
    versions: { morango: VERSION, node: process.version, tables: undefined },
    checks: [
      { name, severity: 'error', findings: [{ code, severity: 'error', sentence: message, mend: hint }] },
    ],
  }
}

import { Command } from 'commander'
import { VERSION } from '../version.ts'
import { addCertificateCommands } from './commands/cert.ts'
import { addClaims } from './commands/claims.ts'
import { addCleanup } from './commands/cleanup.ts'
import { addExplain } from './commands/explain.ts'
import { addCompletion } from './commands/completion.ts'
import { addDoctor } from './commands/doctor.ts'
import { addInit } from './commands/init.ts'
import { addConflicts } from './commands/conflicts.ts'
import { addMigrate } from './commands/migrate.ts'
import { addPeers } from './commands/peers.ts'
import { addProblems } from './commands/problems.ts'
import { addRenew } from './commands/renew.ts'
import { addRescan } from './commands/rescan.ts'
import { addSerialize } from './commands/serialize.ts'
import { addServe } from './commands/serve.ts'
import { addStatus } from './commands/status.ts'
import { addSync } from './commands/sync.ts'
import { completeManual } from './manual.ts'
import { printText } from './output.ts'

const ABOUT = `Syncs chosen tables of this database with other devices.

The configuration says which database, which tables, and who may have what:

  // morango.config.ts
  import { defineConfig } from 'morango/config'
  import { sqlite } from 'morango/sqlite'
  import { gazetteer } from './src/gazetteer.ts'

  export default defineConfig({
    database: () => sqlite('field.db'),
    profiles: [gazetteer],
  })`

const AFTER = `
Getting started, on the first device:
  $ morango migrate
  $ morango cert create-root full-country
  $ morango serve --host 0.0.0.0

and on the next one:
  $ morango migrate
  $ morango cert request http://10.0.0.5:8080/ --scope full-country \\
      --param country_id=ID --username ana
  $ morango sync http://10.0.0.5:8080/ --filter ID

Files:
  morango.config.ts, .mts, .js or .mjs in the current directory. Paths in it are
  relative to the directory in which the command runs.

Environment:
  MORANGO_PASSWORD   the password for \`cert request\`
  NO_COLOR           no colour, whatever the terminal can
  MORANGO_SYSTEM_ID, MORANGO_NODE_ID
                     tell machines apart that were cloned from one image

Exit codes:
  0  done, also when a sync has left records that wait with a problem, or has
     stopped at --max-bytes or --max-seconds
  1  failed
  2  wrong usage, or no configuration that can be used
  130, 143  stopped by Ctrl-C or SIGTERM`

/** The command line. It throws instead of ending the process. */
export function createProgram(): Command {
  const program = new Command('morango')
    .description(ABOUT)
    .version(VERSION, '-V, --version', 'print the version')
    .option('-c, --config <path>', 'the configuration, if it is not in this directory')
    .option('-v, --verbose', 'on errors, show where they come from')
    .helpOption('-h, --help', 'show this help, or that of a command')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', AFTER)
    .showSuggestionAfterError()
    .showHelpAfterError('       See morango --help, or --help after the name of a command.')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => printText('stdout', text),
      writeErr: (text) => printText('stderr', text),
      outputError: (text, write) => write(`${text.trimEnd()}\n`),
    })
    .exitOverride()
  addInit(program)
  addMigrate(program)
  addCertificateCommands(program)
  addServe(program)
  addSync(program)
  addStatus(program)
  addRescan(program)
  addSerialize(program)
  addProblems(program)
  addExplain(program)
  addPeers(program)
  addConflicts(program)
  addClaims(program)
  addRenew(program)
  addCleanup(program)
  addDoctor(program)
  addCompletion(program)
  completeManual(program)
  return program
}

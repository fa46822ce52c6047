import process from 'node:process'
import { type Command, Option } from 'commander'
import { isMorangoError } from '../../core/errors.ts'
import type { Morango, MorangoPlanOptions } from '../../morango.ts'
import { noteUnreached } from '../../storage/attempts.ts'
import { CommandError } from '../failure.ts'
import { type GlobalFlags, withMorango } from '../open.ts'
import {
  byteCount,
  confirmDeletionsOption,
  filterOption,
  jsonOption,
  profileOption,
  wholeNumber,
} from '../options.ts'
import { printJson, printLines, printNote } from '../output.ts'
import { createPaint } from '../paint.ts'
import { planLines } from '../plan-lines.ts'
import { createProgressView, NO_VIEW } from '../progress-view.ts'
import { reachPeer } from '../reach.ts'
import { catchStopSignals } from '../stop-signals.ts'
import { summaryLines } from '../sync-summary.ts'
import { terminalOf } from '../terminal.ts'

interface Flags extends GlobalFlags {
  readonly filter: readonly string[]
  readonly pull?: boolean
  readonly push?: boolean
  readonly both?: boolean
  readonly certificate?: string
  readonly serverCertificate?: string
  readonly confirmDeletions?: boolean
  readonly profile?: string
  readonly chunkSize?: number
  readonly dryRun?: boolean
  readonly maxBytes?: number
  readonly maxSeconds?: number
  readonly json?: boolean
}

const AFTER = `
Pulls what the peer has and this database lacks, then pushes what the peer
lacks. What an interrupted sync left is gone on with first. Certificates are
chosen among those that permit it, unless they are named.

With --dry-run it only asks, and says what would go each way, by model and
bytes, and which conflicts there would be; of a peer of another kind only the
number of records is known. Nothing is changed here, and no record moves.

With --max-bytes or --max-seconds it stops between two chunks or steps once the
limit is reached, says so, and exits with 0: the next sync with the same peer
and filter goes on from there, and sends nothing twice. Each sync moves at
least one chunk, so that repeated ones come to an end.

Progress goes to the standard error: drawn in a terminal, a line for each stage
elsewhere.

Examples:
  $ morango sync https://cloud.example/ --filter 5b1f…
  $ morango sync http://10.0.0.5:8080/ --filter 5b1f…:place --pull
  $ morango sync https://cloud.example/ --filter 5b1f… --dry-run
  $ morango sync https://cloud.example/ --filter 5b1f… --max-bytes 5M
  $ morango sync https://cloud.example/ --filter 5b1f… --json | jq .problems`

/** `morango sync` */
export function addSync(program: Command): void {
  program
    .command('sync')
    .summary('sync with a peer')
    .description('Syncs this database with a peer.')
    .argument('<url>', 'the base URL of the peer')
    .addOption(
      filterOption(
        'what to sync: a prefix of partitions; may be given again for others',
      ).makeOptionMandatory(),
    )
    .addOption(new Option('--pull', 'only get records').conflicts(['push', 'both']))
    .addOption(new Option('--push', 'only send records').conflicts(['pull', 'both']))
    .addOption(new Option('--both', 'first get, then send records (default)'))
    .option('--certificate <id>', 'the certificate of this device to use')
    .option('--server-certificate <id>', 'the certificate of the peer to use')
    .option(
      '--chunk-size <records>',
      'records in a request (default: 500, or as configured)',
      wholeNumber(1, 100_000),
    )
    .addOption(confirmDeletionsOption())
    .option('--dry-run', 'only say what would go each way')
    .option('--max-bytes <n>', 'stop for now after so many bytes, such as 500k or 20M', byteCount)
    .option('--max-seconds <n>', 'stop for now after so many seconds', wholeNumber(1))
    .addOption(profileOption())
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action((url: string, _flags: object, command: Command) => runSync(url, command.optsWithGlobals<Flags>()))
}

async function runSync(url: string, flags: Flags): Promise<void> {
  let view = NO_VIEW
  const stop = catchStopSignals(() => view.note('Stopping; once more to stop at once.'))
  try {
    await withMorango(
      flags,
      async ({ morango, database, config }) => {
        const begun = performance.now()
        if (flags.dryRun === true) {
          await showPlan(url, flags, morango, stop.signal)
          return
        }
        if (flags.json !== true) view = createProgressView(url)
        const profile = flags.profile ?? config.profiles[0].name
        await reachPeer(url, morango, stop.signal).catch(async (error: unknown) => {
          await noteUnreached(database.kysely, { url: morango.connect(url).url, profile }, error)
          throw error
        })
        const report = await morango.sync(url, {
          ...wishesOf(flags),
          confirmDeletions: flags.confirmDeletions,
          maxChunk: flags.chunkSize,
          maxBytes: flags.maxBytes,
          maxSeconds: flags.maxSeconds,
          signal: stop.signal,
          onProgress: (event) => view.onProgress(event),
        })
        view.stop()
        const ms = performance.now() - begun
        if (flags.json === true) printJson({ peer: url, durationMs: Math.round(ms), ...report })
        else
          printLines(
            summaryLines(report, { peer: url, ms, paint: createPaint(terminalOf(process.stdout).color) }),
          )
      },
      (text) => (view === NO_VIEW ? printNote(`warning: ${text}`) : view.note(`Warning: ${text}`)),
    )
  } catch (error) {
    if (!stop.signal.aborted || !isMorangoError(error, 'aborted')) throw error
    throw new CommandError('The sync was stopped', {
      hint: 'What was done is kept: the next sync goes on where this one stopped.',
      exitCode: stop.exitCode(),
      code: 'aborted',
      cause: error,
    })
  } finally {
    view.stop()
    stop.release()
  }
}

type Wishes = Pick<MorangoPlanOptions, 'filter' | 'direction' | 'certificate' | 'serverCertificate'>

function wishesOf({ filter, pull, push, certificate, serverCertificate }: Flags): Wishes {
  const direction = pull === true ? 'pull' : push === true ? 'push' : 'both'
  return { filter: filter.join('\n'), direction, certificate, serverCertificate }
}

async function showPlan(url: string, flags: Flags, morango: Morango, signal: AbortSignal): Promise<void> {
  await reachPeer(url, morango, signal)
  const plan = await morango.plan(url, { ...wishesOf(flags), signal })
  if (flags.json === true) {
    printJson({ peer: url, ...plan })
    return
  }
  printLines(planLines(plan, { peer: url, paint: createPaint(terminalOf(process.stdout).color) }))
}

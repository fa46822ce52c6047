import process from 'node:process'
import type { Command } from 'commander'
import type { ClaimQuery } from '../../storage/taught-claims.ts'
import { claimLines } from '../claim-lines.ts'
import { counted } from '../format.ts'
import { type GlobalFlags, withMorango } from '../open.ts'
import { jsonOption, wholeNumber } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { terminalOf } from '../terminal.ts'

const AFTER = `
A claim says that this database has everything under a partition that an
instance saved up to a counter. Peers teach claims with the records that they
send, and what is claimed is not asked for again. A peer that claims more than
it sends makes this database pass over records that it lacks: forget what its
certificate taught, and the next sync asks for them.

Examples:
  $ morango claims
  $ morango claims --certificate 5b0c8d9e4f3a2b1c0d9e8f7a6b5c4d3e
  $ morango claims forget 5b0c8d9e4f3a2b1c0d9e8f7a6b5c4d3e`

const LIMIT = 1000

type Flags = GlobalFlags & { readonly json?: boolean }

/** `morango claims …` */
export function addClaims(program: Command): void {
  const claims = program
    .command('claims')
    .summary('list what peers taught about who has what, and forget it')
    .description('Claims: up to which counters this database has everything, and who taught it so.')
    .addHelpText('after', AFTER)
  addList(claims)
  addForget(claims)
}

function addList(claims: Command): void {
  claims
    .command('list', { isDefault: true })
    .summary('list them (this is what `claims` alone does)')
    .description('Lists claims by partition, instance and teacher.')
    .option('--partition <prefix>', 'only on partitions that begin so')
    .option('--instance <id>', 'only about this instance')
    .option('--certificate <id>', 'only those that this certificate taught')
    .option('--limit <n>', 'at most so many', wholeNumber(1), LIMIT)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ morango claims list --instance 3959fbc94edfe350a66763db9d2897df
  $ morango claims list --json | jq length`,
    )
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags & ClaimQuery>()
      const { partition, instance, certificate, limit } = flags
      await withMorango(flags, async ({ morango }) => {
        const found = await morango.claims.list({ partition, instance, certificate, limit })
        if (flags.json === true) printJson(found)
        else printLines(claimLines(found, limit ?? LIMIT, terminalOf(process.stdout).width()))
      })
    })
}

function addForget(claims: Command): void {
  claims
    .command('forget')
    .argument('<id>', 'the certificate that taught them')
    .summary('forget what a certificate taught')
    .description(
      'Forgets what a certificate taught, and the certificates below it that are known here. The next sync asks again.',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
No record is deleted. What other peers have taught stays. Peers that synced with
this database since have learned from it: run it there as well, with the id of
the certificate that this database uses. To keep the teacher away, put its
certificate into refusedCertificates.

Example:
  $ morango claims forget 5b0c8d9e4f3a2b1c0d9e8f7a6b5c4d3e`,
    )
    .action(async (id: string, _flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      await withMorango(flags, async ({ morango }) => {
        const forgotten = await morango.claims.forget({ certificate: id })
        if (flags.json === true) printJson(forgotten)
        else {
          const { certificates, claims: count } = forgotten
          printLines([
            `Forgot ${counted(count, 'claim')} of ${counted(certificates.length, 'certificate')}. The next sync asks again.`,
          ])
        }
      })
    })
}

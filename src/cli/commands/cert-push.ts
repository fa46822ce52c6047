import type { Command } from 'commander'
import { certificateLines } from '../certificate-lines.ts'
import { type GlobalFlags, withMorango } from '../open.ts'
import { jsonOption, type Params, paramOption, profileOption, scopeOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { reachPeer } from '../reach.ts'

interface Flags extends GlobalFlags {
  readonly scope: string
  readonly param: Params
  readonly parent: string
  readonly profile?: string
  readonly json?: boolean
}

const AFTER = `
For a peer that has none yet, such as a fresh server in the cloud: with the
certificate it can serve that scope to others. The peer must allow it
(allowCertificatePushing).

Example:
  $ morango cert push https://cloud.example/ --scope full-country \\
      --param country_id=5b1f… --parent 5b1f…`

/** `morango cert push` */
export function addCertPush(cert: Command): void {
  cert
    .command('push')
    .summary('give a peer a certificate')
    .description('Gives a peer a certificate below one of this device, so that it can serve for it.')
    .argument('<url>', 'the base URL of the peer')
    .addOption(scopeOption())
    .addOption(paramOption())
    .requiredOption('--parent <id>', 'the certificate of this device to sign with')
    .addOption(profileOption())
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (url: string, _flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      await withMorango(flags, async ({ morango }) => {
        await reachPeer(url, morango)
        const certificate = await morango.certificates.push(url, {
          scopeDefinition: flags.scope,
          scopeParams: flags.param,
          parentId: flags.parent,
        })
        if (flags.json === true) printJson(certificate)
        else printLines(['The peer now holds:', ...certificateLines(certificate)])
      })
    })
}

import type { Command } from 'commander'
import { Option } from 'commander'
import { certificateLines } from '../certificate-lines.ts'
import { plainPasswordWarning } from '../../session/plain-password.ts'
import { type GlobalFlags, type Opened, withMorango } from '../open.ts'
import { jsonOption, type Params, paramOption, profileOption, scopeOption } from '../options.ts'
import { printJson, printLines, printNote } from '../output.ts'
import { readPassword } from '../password.ts'
import { reachPeer } from '../reach.ts'

interface Flags extends GlobalFlags {
  readonly scope: string
  readonly param: Params
  readonly username: string
  readonly passwordStdin?: boolean
  readonly parent?: string
  readonly primaryPartition?: string
  readonly profile?: string
  readonly json?: boolean
}

const AFTER = `
The password comes from --password-stdin, or from MORANGO_PASSWORD, or is asked
for; it is never an argument, which others on this machine could read. The
peer's application decides by its \`authorize\` who gets what. It is sent only
to a peer that has a certificate under the root that is meant: name that with
--primary-partition where the peer has several.

Examples:
  $ morango cert request https://cloud.example/ --scope place-reader \\
      --param country_id=5b1f… --username ana
  $ pass show cloud | morango cert request https://cloud.example/ \\
      --scope full-country --param country_id=5b1f… --username ana \\
      --password-stdin`

/** `morango cert request` */
export function addCertRequest(cert: Command): void {
  cert
    .command('request')
    .summary('get a certificate from a peer')
    .description('Gets a certificate from a peer, with a user name and a password.')
    .argument('<url>', 'the base URL of the peer')
    .addOption(scopeOption())
    .addOption(paramOption())
    .requiredOption('--username <name>', 'the user at the peer: a name, or key=value&key=value')
    .option('--password-stdin', 'read the password from the standard input')
    .addOption(
      new Option('--parent <id>', "the peer's certificate to be signed by").conflicts('primaryPartition'),
    )
    .option('--primary-partition <id>', 'the root certificate to be under, if the peer has several')
    .addOption(profileOption())
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (url: string, _flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      // Told before the password is asked for, so not again when it goes.
      const warning = plainPasswordWarning(url)
      const onWarning = (text: string): void => {
        if (text !== warning) printNote(`warning: ${text}`)
      }
      const work = async ({ morango }: Opened): Promise<void> => {
        await reachPeer(url, morango)
        if (warning !== undefined) printNote(`warning: ${warning}`)
        const password = await readPassword({ fromStdin: flags.passwordStdin === true })
        const certificate = await morango.certificates.request(url, {
          scopeDefinition: flags.scope,
          scopeParams: flags.param,
          credentials: { username: flags.username, password },
          parentId: flags.parent,
          primaryPartition: flags.primaryPartition,
        })
        if (flags.json === true) printJson(certificate)
        else printLines(certificateLines(certificate))
      }
      await withMorango(flags, work, onWarning)
    })
}

import type { Command } from 'commander'
import { certificateLines } from '../certificate-lines.ts'
import { type GlobalFlags, withMorango } from '../open.ts'
import { jsonOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'

const AFTER = `
Example:
  $ morango cert list --json | jq -r '.[].id'`

/** `morango cert list` */
export function addCertList(cert: Command): void {
  cert
    .command('list')
    .summary('list the certificates that this device can use')
    .description('Lists the certificates whose private keys are on this device.')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<GlobalFlags & { json?: boolean }>()
      const certificates = await withMorango(flags, ({ morango }) => morango.certificates.list())
      if (flags.json === true) printJson(certificates)
      else if (certificates.length > 0) printLines(certificates.flatMap(certificateLines))
      else
        printLines(['No certificates. Make one with `morango cert create-root`, or request one from a peer.'])
    })
}

import type { Command } from 'commander'
import { certificateLines, knownCertificateLines } from '../certificate-lines.ts'
import { type GlobalFlags, withMorango } from '../open.ts'
import { jsonOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'

interface Flags extends GlobalFlags {
  readonly all?: boolean
  readonly json?: boolean
}

const AFTER = `
With --all those of peers are listed as well, with the last session that was
opened with each: which certificate is that of a device that was lost?

Examples:
  $ morango cert list --json | jq -r '.[].id'
  $ morango cert list --all`

/** `morango cert list` */
export function addCertList(cert: Command): void {
  cert
    .command('list')
    .summary('list the certificates that this device can use')
    .description('Lists the certificates whose private keys are on this device.')
    .option('--all', 'those of other devices that are known here, too')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action((_flags: object, command: Command) => list(command.optsWithGlobals<Flags>()))
}

async function list(flags: Flags): Promise<void> {
  if (flags.all === true) {
    const known = await withMorango(flags, ({ morango }) => morango.certificates.listAll())
    if (flags.json === true) printJson(known)
    else printLines(known.length === 0 ? ['No certificates.'] : known.flatMap(knownCertificateLines))
    return
  }
  const certificates = await withMorango(flags, ({ morango }) => morango.certificates.list())
  if (flags.json === true) printJson(certificates)
  else if (certificates.length > 0) printLines(certificates.flatMap(certificateLines))
  else printLines(['No certificates. Make one with `morango cert create-root`, or request one from a peer.'])
}

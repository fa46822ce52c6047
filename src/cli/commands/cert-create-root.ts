import type { Command } from 'commander'
import { certificateLines } from '../certificate-lines.ts'
import { type GlobalFlags, withMorango } from '../open.ts'
import { jsonOption, type Params, paramOption, profileOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'

interface Flags extends GlobalFlags {
  readonly param: Params
  readonly profile?: string
  readonly json?: boolean
}

const AFTER = `
Everything that is to sync together needs one root certificate, made on one
device. Its id is the primary partition: the partitions of all its records
begin with it. The scope's root parameter gets that id by itself; --param is
for any others.

Example:
  $ morango cert create-root full-country`

/** `morango cert create-root` */
export function addCertCreateRoot(cert: Command): void {
  cert
    .command('create-root')
    .summary('make a root certificate')
    .description('Makes a root certificate.')
    .argument('<scope>', 'a scope of the profile that has a root parameter')
    .addOption(paramOption())
    .addOption(profileOption())
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (scope: string, _flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      await withMorango(flags, async ({ morango }) => {
        const certificate = await morango.certificates.createRoot(scope, flags.param)
        if (flags.json === true) printJson(certificate)
        else printLines(certificateLines(certificate))
      })
    })
}

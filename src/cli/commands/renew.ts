import type { Command } from 'commander'
import { type GlobalFlags, withMorango } from '../open.ts'
import { jsonOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'

const AFTER = `
A backup has fallen behind what peers know of this device. If it went on as if
nothing had happened, they would take its new changes for ones that they have
already. As a new instance it is told from what it was: nothing is lost, and
what the backup lacks comes back from peers with the next sync.

Run it right after the restore, before the application or a sync writes. Do not
run it otherwise: each instance that a network has ever had is in what peers
tell each other.

Examples:
  $ morango renew
  $ morango sync http://10.0.0.5:8080/ --filter ID`

/** `morango renew` */
export function addRenew(program: Command): void {
  program
    .command('renew')
    .summary('go on as a new instance, after a restore from backup')
    .description('Has this database, restored from a backup, go on as a new instance.')
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<GlobalFlags & { json?: boolean }>()
      await withMorango(flags, async ({ morango }) => {
        const before = (await morango.status()).instance.id
        const { id } = await morango.renewInstance()
        if (flags.json === true) printJson({ before, instance: id })
        else printLines([`This was instance ${before}.`, `It goes on as   ${id}.`])
      })
    })
}

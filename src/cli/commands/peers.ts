import process from 'node:process'
import type { Command } from 'commander'
import { type GlobalFlags, withMorango } from '../open.ts'
import { jsonOption, profileOption } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { createPaint } from '../paint.ts'
import { peerLines } from '../peer-lines.ts'
import { terminalOf } from '../terminal.ts'

const AFTER = `
Shows who this database has synced with or tried to, as a client or as a server:
when, what the last attempt failed of, and how far the peer is by what it said
then. Nobody is asked: what a peer got from others since is not known here.

Examples:
  $ morango peers
  $ morango peers --json | jq -r '.[] | [.address, .lastSuccessAt] | @tsv'`

/** `morango peers` */
export function addPeers(program: Command): void {
  program
    .command('peers')
    .summary('list who was synced with, when, and how far they are')
    .description('Lists who this database has synced with, when, and how far they are.')
    .addOption(profileOption())
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<GlobalFlags & { profile?: string; json?: boolean }>()
      await withMorango(flags, async ({ morango }) => {
        const peers = await morango.peers()
        if (flags.json === true) {
          printJson(peers)
          return
        }
        const terminal = terminalOf(process.stdout)
        const paint = createPaint(terminal.color)
        printLines(peerLines(peers, { width: terminal.width(), paint }))
      })
    })
}

// A peer of ours in a process of its own, told what to do as `python/peer.py` is.
import { createInterface } from 'node:readline'
import { createOurPeer, type OurOptions } from './our-peer.ts'
import { COMMANDS, type Peer } from './peer.ts'

const options: OurOptions = JSON.parse(process.argv[2] ?? '{}')
const peer: Peer = await createOurPeer(options)
const say = (message: object): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
say({ url: peer.url, pid: process.pid })

for await (const line of createInterface({ input: process.stdin })) {
  const { id, op, args }: { id: number; op: string; args: never } = JSON.parse(line)
  try {
    const command = COMMANDS.find((name) => name === op)
    if (command === undefined) throw new Error(`no command ${op}`)
    say({ id, result: await peer[command](args) })
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error))
    const code = error instanceof Error && 'code' in error ? String(error.code) : name
    say({ id, error: { type: code, message } })
  }
}
process.exit(0)

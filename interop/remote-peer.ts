import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { COMMANDS, type Command, type Peer } from './peer.ts'

/** A peer in a process of its own. */
export interface RemotePeer extends Peer {
  readonly pid: number
  /** Ends the process at once, as a power cut does. */
  kill(): Promise<void>
  /**
   * Empties its database and makes it another instance; only the original's can.
   * @returns who it is
   */
  reset(as?: { readonly database: string; readonly certificates: readonly object[] }): Promise<unknown>
}

interface Reply {
  readonly id?: number
  readonly url?: string
  readonly result?: unknown
  readonly error?: { readonly type: string; readonly message: string }
}

/** What the other process says went wrong. */
export class RemoteError extends Error {
  readonly type: string

  constructor(type: string, message: string) {
    super(`${type}: ${message}`)
    this.type = type
  }
}

/**
 * Starts a process that takes commands as lines of JSON on its standard input and answers on its standard
 * output; `python/peer.py` says how.
 */
export async function startPeer(options: {
  readonly kind: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}): Promise<RemotePeer> {
  const { kind, command, args, env, cwd } = options
  const child: ChildProcess = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const { stdin, stdout, stderr, pid } = child
  if (stdin === null || stdout === null || stderr === null || pid === undefined) {
    throw new Error(`${command} did not start`)
  }
  let noise = ''
  stderr.on('data', (data: Buffer) => {
    noise = (noise + data.toString()).slice(-8000)
    if (process.env['INTEROP_LOG'] !== undefined) process.stderr.write(data)
  })
  const waiting = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >()
  const started = Promise.withResolvers<string>()
  const ended = Promise.withResolvers<void>()
  stdin.on('error', () => {})
  child.on('exit', (code, signal) => {
    const error = new RemoteError('Ended', `the ${kind} peer ended (${code ?? signal})\n${noise}`)
    started.reject(error)
    for (const call of waiting.values()) call.reject(error)
    waiting.clear()
    ended.resolve()
  })
  createInterface({ input: stdout }).on('line', (line) => {
    const reply: Reply = JSON.parse(line)
    if (reply.url !== undefined) started.resolve(reply.url)
    const call = reply.id === undefined ? undefined : waiting.get(reply.id)
    if (reply.id === undefined || call === undefined) return
    waiting.delete(reply.id)
    if (reply.error === undefined) call.resolve(reply.result)
    else call.reject(new RemoteError(reply.error.type, `${reply.error.message}\n${noise}`))
  })
  const url = await started.promise
  let serial = 0

  function send(op: string, given: object): Promise<unknown> {
    if (child.exitCode !== null || child.signalCode !== null) {
      return Promise.reject(new RemoteError('Ended', `the ${kind} peer has ended\n${noise}`))
    }
    const id = ++serial
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    waiting.set(id, { resolve, reject })
    noise = ''
    stdin?.write(`${JSON.stringify({ id, op, args: given })}\n`)
    return promise
  }

  const commands = Object.fromEntries(COMMANDS.map((op) => [op, (given: object = {}) => send(op, given)]))
  return {
    // Both ends are ours, and the types are those of the interface.
    ...(commands as unknown as Pick<Peer, Command>),
    kind,
    url,
    pid,
    reset: (as) => send('reset', as ?? {}),
    async kill() {
      child.kill('SIGKILL')
      await ended.promise
    },
    async close() {
      stdin.end()
      await ended.promise
    },
  }
}

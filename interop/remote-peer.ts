import { spawn, type ChildProcess } from 'node:child_process'
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
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

/** How a process is started. */
export interface Start {
  readonly kind: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

interface Reply {
  readonly id?: number
  readonly url?: string
  readonly pid?: number
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
export async function startPeer(start: Start): Promise<RemotePeer> {
  const { child, input, output, noise } = startProcess(start)
  return await talkTo(start.kind, { input, output, ended: endOf(child), noise })
}

/** Makes peers of a process that has loaded all that they need: it divides itself. */
export interface ForkServer {
  /** @param database the path of a database that nobody else uses */
  fork(database: string): Promise<RemotePeer>
}

/** Starts `python/peer.py` as a fork server. */
export function startForkServer(start: Start): ForkServer {
  const { child, input, noise } = startProcess({ ...start, args: [...start.args, '--fork-server'] })
  child.unref()
  const gone = endOf(child)
  return {
    async fork(database) {
      const arrived = Promise.withResolvers<Socket>()
      const door = createServer((socket) => arrived.resolve(socket))
      await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
      const address = door.address()
      if (typeof address !== 'object' || address === null) throw new Error('no port')
      void gone.then((how) => arrived.reject(new RemoteError('Ended', `${how}\n${noise()}`)))
      input.write(`${JSON.stringify({ database, port: address.port })}\n`)
      const socket = await arrived.promise
      door.close()
      socket.on('error', () => {})
      const ended = new Promise<string>((resolve) =>
        socket.once('close', () => resolve('its connection is gone')),
      )
      return await talkTo(start.kind, { input: socket, output: socket, ended, noise })
    },
  }
}

interface Process {
  readonly child: ChildProcess
  readonly input: Writable
  readonly output: Readable
  readonly noise: () => string
}

function startProcess({ kind, command, args, env }: Start): Process {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  const { stdin, stdout, stderr } = child
  if (stdin === null || stdout === null || stderr === null)
    throw new Error(`${kind}: ${command} did not start`)
  let noise = ''
  stderr.on('data', (data: Buffer) => {
    noise = (noise + data.toString()).slice(-8000)
    if (process.env['INTEROP_LOG'] !== undefined) process.stderr.write(data)
  })
  stdin.on('error', () => {})
  return { child, input: stdin, output: stdout, noise: () => noise }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(`it ended (${code ?? signal})`))
  })
}

interface Channel {
  readonly input: Writable
  readonly output: Readable
  readonly ended: Promise<string>
  /** What it said on its standard error, lately. */
  readonly noise: () => string
}

async function talkTo(kind: string, { input, output, ended, noise }: Channel): Promise<RemotePeer> {
  const waiting = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >()
  const started = Promise.withResolvers<{ readonly url: string; readonly pid: number }>()
  let end: RemoteError | undefined
  const gone = ended.then((how) => {
    end = new RemoteError('Ended', `the ${kind} peer: ${how}\n${noise()}`)
    started.reject(end)
    for (const call of waiting.values()) call.reject(end)
    waiting.clear()
  })
  createInterface({ input: output }).on('line', (line) => {
    const reply: Reply = JSON.parse(line)
    if (reply.url !== undefined && reply.pid !== undefined)
      started.resolve({ url: reply.url, pid: reply.pid })
    const call = reply.id === undefined ? undefined : waiting.get(reply.id)
    if (reply.id === undefined || call === undefined) return
    waiting.delete(reply.id)
    if (reply.error === undefined) call.resolve(reply.result)
    else call.reject(new RemoteError(reply.error.type, `${reply.error.message}\n${noise()}`))
  })
  const { url, pid } = await started.promise
  let serial = 0

  function send(op: string, given: object): Promise<unknown> {
    if (end !== undefined) return Promise.reject(end)
    const id = ++serial
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    waiting.set(id, { resolve, reject })
    input.write(`${JSON.stringify({ id, op, args: given })}\n`)
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
      if (end === undefined) process.kill(pid, 'SIGKILL')
      await gone
    },
    async close() {
      input.end()
      await gone
    },
  }
}

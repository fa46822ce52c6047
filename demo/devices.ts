import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { DatabaseChoice } from './databases/app-database.ts'
import type { Call, DeviceApi, Failure, Message } from './device-api.ts'

/** A device as the demo sees it: a name, an address, and what it can be told to do. */
export interface Device {
  readonly name: string
  readonly url: string
  /** @throws DeviceError when it fails there */
  call<Name extends keyof DeviceApi>(
    name: Name,
    ...args: Parameters<DeviceApi[Name]>
  ): ReturnType<DeviceApi[Name]>
}

/** The devices of a demo, each a process of its own. */
export interface Fleet {
  /** Starts a device and waits until it listens. */
  start(name: string, database: DatabaseChoice): Promise<Device>
  /** Asks all to end. Gives whether they did so by themselves. */
  stop(): Promise<boolean>
  /** Ends all at once. */
  kill(): Promise<void>
}

/** What a device answers when a command failed there. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError'
  readonly failure: Failure

  constructor(device: string, failure: Failure) {
    super(`${device}: ${failure.message}`)
    this.failure = failure
  }
}

const DEVICE = fileURLToPath(new URL('device.ts', import.meta.url))
const PATIENCE_MS = 5000

/** A fleet without devices. */
export function createFleet(onProgress: (text: string) => void): Fleet {
  const running = new Set<ChildProcess>()
  const devices: Device[] = []

  return {
    async start(name, database) {
      const child = fork(DEVICE, [name.toLowerCase()], {
        env: { ...process.env, MORANGO_DEMO_DATABASE: JSON.stringify(database) },
        execArgv: ['--disable-warning=ExperimentalWarning'],
        serialization: 'advanced',
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      running.add(child)
      child.once('exit', () => running.delete(child))
      const device = await converse(child, name, onProgress)
      devices.push(device)
      return device
    },

    async stop() {
      const children = [...running]
      const ended = children.map((child) => once(child, 'exit'))
      await Promise.all(devices.map((device) => device.call('close')))
      await Promise.race([Promise.all(ended), wait(PATIENCE_MS, undefined, { ref: false })])
      return children.every((child) => child.exitCode === 0)
    },

    async kill() {
      const ended = [...running].map((child) => once(child, 'exit'))
      for (const child of running) child.kill('SIGKILL')
      await Promise.all(ended)
    },
  }
}

/** Waits until the device is ready; from then on its answers find their calls. */
async function converse(
  child: ChildProcess,
  name: string,
  onProgress: (text: string) => void,
): Promise<Device> {
  const ready = Promise.withResolvers<string>()
  const calls = new Map<number, PromiseWithResolvers<unknown>>()
  let lastId = 0

  child.on('message', (message: Message) => {
    switch (message.kind) {
      case 'ready':
        ready.resolve(message.url)
        break
      case 'progress':
        onProgress(`${name}: ${message.text}`)
        break
      case 'result':
        calls.get(message.id)?.resolve(message.result)
        calls.delete(message.id)
        break
      case 'failed':
        calls.get(message.id)?.reject(new DeviceError(name, message.failure))
        calls.delete(message.id)
    }
  })
  const giveUp = (error: Error): void => {
    ready.reject(error)
    for (const { reject } of calls.values()) reject(error)
    calls.clear()
  }
  child.on('error', giveUp)
  child.once('exit', (code, signal) => {
    giveUp(new Error(`${name}'s process ended too early (${signal ?? `exit code ${code}`})`))
  })

  const call = async (command: keyof DeviceApi, args: readonly unknown[]): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>()
    calls.set(++lastId, answer)
    child.send({ id: lastId, name: command, args } satisfies Call)
    return await answer.promise
  }
  return {
    name,
    url: await ready.promise,
    // The device's answers are what DeviceApi says: both sides are of this repository.
    call: <Name extends keyof DeviceApi>(command: Name, ...args: Parameters<DeviceApi[Name]>) =>
      call(command, args) as ReturnType<DeviceApi[Name]>,
  }
}

import { fork } from 'node:child_process'
import { inspect } from 'node:util'

/** What a process answers: a method for each call, with at most one argument. Both travel as JSON. */
type Calls<Api> = { readonly [Name in keyof Api]: (argument: never) => Promise<unknown> }

interface Question {
  readonly number: number
  readonly name: string
  readonly argument: unknown
}

interface Answer {
  readonly number: number
  readonly result?: unknown
  readonly error?: string
}

/** A process that answers the calls of `Api`. */
export interface RemoteProcess<Api> {
  call<Name extends keyof Api & string>(
    name: Name,
    ...given: Api[Name] extends (...given: infer Given) => unknown ? Given : never
  ): Promise<Api[Name] extends (...given: never[]) => Promise<infer Result> ? Result : never>
  /** The most memory that it has had, in MB. */
  peakMemoryMb(): Promise<number>
  stop(): Promise<void>
  /** Ends it as a crash would. */
  kill(): Promise<void>
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>
}

const PEAK_MEMORY = 'peakMemoryMb'

/** Answers the calls of the process that forked this one, and ends with it. */
export function answerCalls<Api extends Calls<Api>>(api: Api): void {
  process.on('message', (question: Question) => {
    answer(api, question)
      .then((result): Answer => ({ number: question.number, result }))
      .catch((error: unknown): Answer => ({ number: question.number, error: inspect(error) }))
      .then((reply) => process.send?.(reply))
      .catch(() => process.exit(1))
  })
  process.on('disconnect', () => process.exit())
}

async function answer(api: object, { name, argument }: Question): Promise<unknown> {
  // In kilobytes, whatever the system.
  if (name === PEAK_MEMORY) return process.resourceUsage().maxRSS / 1024
  const method: unknown = Reflect.get(api, name)
  if (typeof method !== 'function') throw new Error(`No call ${name}`)
  const result: unknown = await Reflect.apply(method, api, [argument])
  return result
}

/** Starts a process of its own that runs `file` of this directory, or the file of that URL. */
export function startProcess<Api extends Calls<Api>>(
  file: string,
  execArgv: readonly string[] = [],
): RemoteProcess<Api> {
  const child = fork(new URL(file, import.meta.url), { execArgv: ['--no-warnings', ...execArgv] })
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>()
  let asked = 0
  let exited = false
  const gone = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      exited = true
      for (const { reject } of waiting.values()) reject(new Error(`${file} ended (${signal ?? code})`))
      resolve()
    })
  })
  child.on('message', ({ number, result, error }: Answer) => {
    const asker = waiting.get(number)
    waiting.delete(number)
    if (error === undefined) asker?.resolve(result as never)
    else asker?.reject(new Error(`${file}: ${error}`))
  })

  const ask = async <Result>(name: string, argument?: unknown): Promise<Result> =>
    await new Promise<Result>((resolve, reject) => {
      if (exited) {
        reject(new Error(`${file} has ended`))
        return
      }
      const question: Question = { number: ++asked, name, argument }
      waiting.set(question.number, { resolve, reject })
      child.send(question)
    })

  return {
    call: async (name, ...[argument]) => await ask(name, argument),
    peakMemoryMb: async () => await ask<number>(PEAK_MEMORY),
    stop: async () => {
      if (!exited) child.disconnect()
      await gone
    },
    kill: async () => {
      child.kill('SIGKILL')
      await gone
    },
    ended: gone,
  }
}

/** Runs `work` with a process, which is stopped whatever happens. */
export async function withProcess<Api extends Calls<Api>, Result>(
  file: string,
  execArgv: readonly string[],
  work: (remote: RemoteProcess<Api>) => Promise<Result>,
): Promise<Result> {
  const remote = startProcess<Api>(file, execArgv)
  try {
    return await work(remote)
  } finally {
    await remote.stop()
  }
}

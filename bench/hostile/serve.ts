import { readFile, writeFile } from 'node:fs/promises'
import { createMorango } from '../../src/index.ts'
import { listen } from '../../src/node.ts'
import { library } from '../../src/testing/index.ts'
import { openDatabase, type Place } from '../databases/kinds.ts'
import { answerCalls } from '../processes/calls.ts'
import { PASSWORD } from './target.ts'

/** A server that is attacked, as `morango serve` has it, in a process of its own. */
export interface VictimApi {
  start(place: Place): Promise<{ url: string }>
  /** The CPU time of the process so far, all its threads, in ms. */
  cpuMs(): Promise<number>
  /** Begins to watch how long the process works without a rest. */
  watch(): Promise<void>
  /** The longest that it has worked since without a rest, in ms of CPU time: what others are kept waiting for. */
  longestWorkMs(): Promise<number>
  /** Forgets the peak of memory so far. @returns what the process has now, in MB */
  settle(): Promise<number>
  /** The most memory since, in MB. */
  peakMb(): Promise<number>
  /** What went wrong within requests so far: answers of 500 and up. */
  failures(): Promise<string[]>
}

const failures: string[] = []
let watching: ReturnType<typeof setInterval> | undefined
let longestWork = 0
/** What Linux takes to reset a peak. */
const RESET_PEAK = '5'

answerCalls<VictimApi>({
  start: async (place) => {
    const database = openDatabase(place)
    const morango = await createMorango({
      database,
      profiles: [library],
      allowCertificatePushing: true,
      onWarning: () => undefined,
    })
    const { url } = await listen(morango, {
      port: 0,
      authorize: ({ password }) => (password === PASSWORD ? true : 'unauthenticated'),
      routes: { onError: (error) => failures.push(String(error)) },
    })
    return { url }
  },
  cpuMs: async () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  },
  watch: async () => {
    const begun = process.threadCpuUsage()
    let last = begun.user + begun.system
    longestWork = 0
    clearInterval(watching)
    watching = setInterval(() => {
      const { user, system } = process.threadCpuUsage()
      longestWork = Math.max(longestWork, (user + system - last) / 1000)
      last = user + system
    }, 1)
  },
  longestWorkMs: async () => {
    clearInterval(watching)
    return longestWork
  },
  settle: async () => {
    await writeFile('/proc/self/clear_refs', RESET_PEAK).catch(() => undefined)
    return (await statusMb('VmRSS')) ?? maxRssMb()
  },
  peakMb: async () => (await statusMb('VmHWM')) ?? maxRssMb(),
  failures: async () => failures,
})

/** A line of what Linux says of this process; elsewhere there is none. */
async function statusMb(name: 'VmRSS' | 'VmHWM'): Promise<number | undefined> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'mu').exec(status)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
}

function maxRssMb(): number {
  return process.resourceUsage().maxRSS / 1024
}

import { setTimeout as pause } from 'node:timers/promises'
import { databaseOf, type Place } from '../databases/kinds.ts'
import { withProcess } from '../processes/calls.ts'
import type { Attack } from './attack.ts'
import { sendWell } from './caller.ts'
import type { OthersApi } from './others.ts'
import type { VictimApi } from './serve.ts'
import type { Attacker } from './target.ts'

const VICTIM = new URL('serve.ts', import.meta.url).href
const OTHERS = new URL('others.ts', import.meta.url).href
const BASELINE_MS = 500
/** What comes late of a request, such as a merge that goes on, is waited for. */
const AFTERMATH_MS = 100

/** What one attack did to a server of its own. */
export interface Reading {
  readonly name: string
  readonly signedIn: boolean
  readonly bytes: number
  /** The statuses, each once; 0: the server closed the connection. */
  readonly statuses: readonly number[]
  readonly ms: number
  /** The longest that others waited, in ms, and the longest just before, without the attack. */
  readonly longestWaitMs: number
  readonly baselineWaitMs: number
  /** The longest that the server worked without a rest, in ms of CPU time, whatever else the machine had to do. */
  readonly longestWorkMs: number
  readonly cpuMs: number
  readonly peakMemoryMb: number
  /** By how much that is over what the process had just before. */
  readonly raisedMemoryMb: number
  /** What the server could not answer, and should have. */
  readonly failures: readonly string[]
}

/** Starts a server on a copy of the prepared database, lets others ask it for little, and attacks it. */
export async function measure(place: Place, attacker: Attacker, attack: Attack): Promise<Reading> {
  await databaseOf(place.kind).restore(place.at)
  return await withProcess<VictimApi, Reading>(VICTIM, [], async (victim) => {
    const target = { ...(await victim.call('start', place)), attacker }
    return await withProcess<OthersApi, Reading>(OTHERS, [], async (others) => {
      const warmUp = await sendWell(target, { path: 'nonces/', body: {} })
      if (!('id' in warmUp)) throw new Error('The server gives no nonces')
      const run = await attack.prepare(target)
      const watched = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
        await others.call('start', target.url)
        const result = await work()
        return [result, await others.call('stop')]
      }
      await watched(() => pause(BASELINE_MS))
      const [, baselineWaitMs] = await watched(() => pause(BASELINE_MS))
      const idleMemory = await victim.call('settle')
      const idleCpu = await victim.call('cpuMs')
      await victim.call('watch')
      const begun = performance.now()
      let ms = 0
      const [sent, longestWaitMs] = await watched(async () => {
        const answers = await run()
        ms = performance.now() - begun
        await pause(AFTERMATH_MS)
        return answers
      })
      const longestWorkMs = await victim.call('longestWorkMs')
      const peakMemoryMb = await victim.call('peakMb')
      return {
        name: attack.name,
        signedIn: attack.signedIn,
        bytes: sent.reduce((sum, { bytes }) => sum + bytes, 0),
        statuses: [...new Set(sent.map(({ status }) => status))],
        ms,
        longestWaitMs,
        baselineWaitMs,
        longestWorkMs,
        cpuMs: (await victim.call('cpuMs')) - idleCpu,
        peakMemoryMb,
        raisedMemoryMb: peakMemoryMb - idleMemory,
        failures: await victim.call('failures'),
      }
    })
  })
}

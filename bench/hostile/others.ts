import { answerCalls } from '../processes/calls.ts'
import { type Probe, startProbe } from '../probe.ts'

/** The others, who ask for little and wait: a process of its own, so that nothing but the server keeps them waiting. */
export interface OthersApi {
  start(url: string): Promise<void>
  /** @returns the longest that one of them has waited, in ms */
  stop(): Promise<number>
}

const PAUSE_MS = 3

let probe: Probe | undefined

answerCalls<OthersApi>({
  start: async (url) => {
    probe = startProbe(url, PAUSE_MS)
  },
  stop: async () => ((await probe?.stop()) ?? 0) * 1000,
})

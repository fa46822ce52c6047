import { startProcess } from '../processes/calls.ts'
import type { ServeApi } from '../processes/serve.ts'
import type { BenchPeer } from './peer.ts'

/** This library in another process. */
export const morangoPeer: BenchPeer = {
  async start(place, execArgv) {
    const remote = startProcess<ServeApi>('serve.ts', execArgv)
    try {
      const { url } = await remote.call('start', place)
      return {
        url,
        peakMemoryMb: async () => await remote.peakMemoryMb(),
        stop: async () => {
          try {
            await remote.call('close')
          } finally {
            await remote.stop()
          }
        },
      }
    } catch (error) {
      await remote.stop()
      throw error
    }
  },
}

import { createMorango } from '../../src/index.ts'
import { listen } from '../../src/node.ts'
import { gazetteer } from '../../demo/gazetteer.ts'
import { openDatabase, type Place } from '../databases/kinds.ts'
import { answerCalls } from './calls.ts'

/** The serving side of a sync. */
export interface ServeApi {
  start(place: Place): Promise<{ url: string }>
  close(): Promise<void>
}

let stop = async (): Promise<void> => {}

answerCalls<ServeApi>({
  start: async (place) => {
    const morango = await createMorango({ database: openDatabase(place), profiles: [gazetteer] })
    const server = await listen(morango, { port: 0 })
    stop = async () => {
      await server.close()
      await morango.close()
    }
    return { url: server.url }
  },
  close: async () => await stop(),
})

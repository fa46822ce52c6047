import { createMorango, type Database } from '../../src/index.ts'
import { listen } from '../../src/node.ts'
import { gazetteer } from '../../demo/gazetteer.ts'
import { changeOnePercent } from '../data.ts'
import { openDatabase, type Place } from '../databases/kinds.ts'
import { answerCalls } from './calls.ts'

/** The serving side of a sync. */
export interface ServeApi {
  start(place: Place): Promise<{ url: string }>
  /** Changes every hundredth record. */
  change(): Promise<{ records: number }>
  close(): Promise<void>
}

let database: Database | undefined
let stop = async (): Promise<void> => {}

answerCalls<ServeApi>({
  start: async (place) => {
    database = openDatabase(place)
    const morango = await createMorango({ database, profiles: [gazetteer] })
    const server = await listen(morango, { port: 0 })
    stop = async () => {
      await server.close()
      await morango.close()
    }
    return { url: server.url }
  },
  change: async () => await changeOnePercent(database),
  close: async () => await stop(),
})

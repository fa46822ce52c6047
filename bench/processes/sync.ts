import { createMorango, type Database, type Morango, type SyncReport } from '../../src/index.ts'
import { zlibCompressor } from '../../src/node.ts'
import { gazetteer } from '../../demo/gazetteer.ts'
import { changeOnePercent } from '../data.ts'
import { openDatabase, type Place } from '../databases/kinds.ts'
import { answerCalls } from './calls.ts'

/** A sync and the time it took. */
export interface TimedSync {
  readonly seconds: number
  readonly report: SyncReport
}

/** The side that begins a sync. */
export interface SyncApi {
  open(place: Place): Promise<void>
  sync(options: { url: string; filter: string; direction: 'pull' | 'push' | 'both' }): Promise<TimedSync>
  /** Changes every hundredth record. */
  change(): Promise<{ records: number }>
  close(): Promise<void>
}

let database: Database | undefined
let morango: Morango | undefined

answerCalls<SyncApi>({
  open: async (place) => {
    database = openDatabase(place)
    morango = await createMorango({
      database,
      profiles: [gazetteer],
      compressor: zlibCompressor,
    })
  },
  sync: async ({ url, filter, direction }) => {
    if (morango === undefined) throw new Error('Not open')
    const start = performance.now()
    const report = await morango.sync(url, { filter, direction })
    return { seconds: (performance.now() - start) / 1000, report }
  },
  change: async () => await changeOnePercent(database),
  close: async () => await morango?.close(),
})

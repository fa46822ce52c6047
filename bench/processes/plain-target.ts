import type { PlainDatabase, Tables } from '../databases/database.ts'
import { databaseOf, type Place } from '../databases/kinds.ts'
import { answerCalls } from './calls.ts'

/** The side of the plain copy that gets the rows. */
export interface PlainTargetApi {
  open(place: Place): Promise<void>
  fetch(url: string): Promise<{ seconds: number; bytes: number; records: number }>
  close(): Promise<void>
}

let database: PlainDatabase | undefined

answerCalls<PlainTargetApi>({
  open: async ({ kind, at }) => {
    database = await databaseOf(kind).openPlain(at)
  },
  fetch: async (url) => {
    if (database === undefined) throw new Error('Not open')
    const start = performance.now()
    const response = await fetch(url)
    const tables = (await response.json()) as Tables
    await database.insertAll(tables)
    return {
      seconds: (performance.now() - start) / 1000,
      bytes: Number(response.headers.get('content-length')),
      records: Object.values(tables).reduce((total, rows) => total + rows.length, 0),
    }
  },
  close: async () => await database?.close(),
})

import process from 'node:process'
import type { KyselyPlugin } from 'kysely'
import { answerCalls } from '../../bench/processes/calls.ts'
import { createMorango } from '../../src/index.ts'
import { listen } from '../../src/node.ts'
import { library } from '../../src/testing/index.ts'
import { openPlace, type Place } from './places.ts'

/** A process that serves a database of the library's application. */
export interface ServerApi {
  start(options: { readonly place: Place; readonly leaseMs: number }): Promise<{ url: string }>
  /** Lets it be killed before a statement on the database: the first when 0. */
  dieBefore(statement: number): Promise<void>
}

let left = Infinity

const mortal: KyselyPlugin = {
  transformQuery({ node }) {
    if (left-- <= 0) process.kill(process.pid, 'SIGKILL')
    return node
  },
  transformResult: async ({ result }) => await Promise.resolve(result),
}

answerCalls<ServerApi>({
  start: async ({ place, leaseMs }) => {
    const opened = openPlace(place)
    const database = { ...opened, kysely: opened.kysely.withPlugin(mortal) }
    const morango = await createMorango({ database, profiles: [library], leaseMs })
    const { url } = await listen(morango, { port: 0, routes: { onError: () => {} } })
    return { url }
  },
  dieBefore: async (statement) => {
    left = statement
    await Promise.resolve()
  },
})

import { createMorango } from '../../src/index.ts'
import { listen } from '../../src/node.ts'
import { postgres } from '../../src/postgres.ts'
import { library } from '../../src/testing/index.ts'
import { answerCalls } from '../processes/calls.ts'

/** One of several server processes on a PostgreSQL database. */
export interface LoadServerApi {
  start(url: string): Promise<{ url: string }>
  /** What went wrong within requests so far, that is, was not tried again here. */
  failures(): Promise<string[]>
}

const failures: string[] = []

answerCalls<LoadServerApi>({
  start: async (at) => {
    const morango = await createMorango({ database: postgres(at), profiles: [library] })
    const { url } = await listen(morango, {
      port: 0,
      routes: { onError: (error) => failures.push(String(error)) },
    })
    return { url }
  },
  failures: async () => await Promise.resolve(failures),
})

import type { DeserializeResult, Engine, SerializeResult } from './session/ports.ts'
import type { EngineContext } from './storage/context.ts'
import { type ProblemDetails, readProblemDetails } from './storage/problem-details.ts'
import { countProblems, type Problem, type ProblemQuery, readProblems } from './storage/problems.ts'

/** What a retry came to. */
export interface RetryReport {
  readonly serialized: SerializeResult
  readonly applied: DeserializeResult
  /** How many problems are left. */
  readonly left: number
}

/** The problems of this database; called as a function it lists them. */
export interface Problems {
  /** The latest first. */
  (query?: ProblemQuery): Promise<Problem[]>
  count(query?: ProblemQuery): Promise<number>
  /**
   * One with its record as it was received, its row as it is, and what is in its way.
   * @throws MorangoError `unknown-problem`
   */
  show(model: string, id: string): Promise<ProblemDetails>
  /** Tries all again, without a sync. A partition prefix restricts it to those under it. */
  retry(options?: { partition?: string | undefined; signal?: AbortSignal | undefined }): Promise<RetryReport>
}

/** Makes the {@link Problems} of a database. */
export function createProblems(context: EngineContext, engine: Engine): Problems {
  const { kysely } = context.database
  const list = (query?: ProblemQuery): Promise<Problem[]> => readProblems(kysely, query)
  return Object.assign(list, {
    count: (query?: ProblemQuery) => countProblems(kysely, query),
    show: (model: string, id: string) => readProblemDetails(context, model, id),
    retry: async ({ partition, signal }: Parameters<Problems['retry']>[0] = {}) => {
      const filter = partition === undefined ? {} : { filter: [partition] }
      const serialized = { created: 0, updated: 0, deleted: 0, failed: 0 }
      const applied = { written: 0, deleted: 0, failed: 0 }
      for (const profile of context.profiles.keys()) {
        const options = { profile, ...filter, ...(signal === undefined ? {} : { signal }) }
        addTo(serialized, await engine.serialize(options))
        addTo(applied, await engine.deserialize({ ...options, retryAll: true }))
      }
      return { serialized, applied, left: await countProblems(kysely, { partition }) }
    },
  })
}

function addTo<Key extends string>(total: Record<Key, number>, part: Readonly<Record<Key, number>>): void {
  for (const key in total) total[key] += part[key]
}

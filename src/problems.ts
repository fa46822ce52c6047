import type { DeserializeResult, Engine, SerializeResult } from './session/ports.ts'
import { acceptProblem } from './storage/accept-problem.ts'
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
  /**
   * Decides for what waits, as the operator. A record whose id is taken (`id-taken`) takes the place of the one that has
   * it, which is set aside in turn; a deletion that reaches where its sender may not write (`deletion-reaches-further`)
   * is carried out as this device's own. Both travel on with the next sync.
   * @throws MorangoError `unknown-problem`; `not-restorable` when there is nothing to decide
   */
  accept(model: string, id: string): Promise<void>
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
    accept: async (model: string, id: string) => {
      await acceptProblem(context, model, id)
      for (const profile of context.profiles.keys()) await engine.deserialize({ profile })
    },
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

import type { KyselyPlugin } from 'kysely'
import { isStage } from '../core/stages.ts'
import type { Stage } from '../core/stages.ts'
import type { Sleep } from '../session/timing.ts'
import type { Database } from '../storage/dialect.ts'
import type { KillFault } from './faults.ts'

/** The life of one process: everything that it does goes through here, so that it can end at any statement. */
export interface ProcessLife {
  readonly dead: boolean
  /** Resolves when it has died. */
  readonly death: Promise<void>
  /** The database as this process sees it. */
  connect(database: Database): Database
  /** Lets it die as the fault says. */
  arm(fault: KillFault): void
  disarm(): void
  kill(): void
  /** Passes a result on while it lives; of the dead nothing is heard any more. */
  through<T>(work: Promise<T>): Promise<T>
  readonly sleep: Sleep
}

/** A process that lives until it is killed. */
export function createProcessLife(sleep: Sleep): ProcessLife {
  const end = Promise.withResolvers<void>()
  let dead = false
  let plan: KillFault | undefined
  let entered = false
  let statements = 0

  const kill = (): void => {
    dead = true
    end.resolve()
  }
  const through = async <T>(work: Promise<T>): Promise<T> => {
    try {
      const result = await work
      return dead ? await new Promise<never>(() => {}) : result
    } catch (error) {
      return dead ? await new Promise<never>(() => {}) : Promise.reject(error)
    }
  }
  const stages = new WeakMap<object, Stage>()
  const plugin: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      if (dead) throw new Error('This process was killed')
      const stage = plan === undefined ? undefined : stageEntered(node)
      if (stage !== undefined) stages.set(queryId, stage)
      return node
    },
    async transformResult({ result, queryId }) {
      if (dead) return await new Promise<never>(() => {})
      if (plan === undefined) return result
      entered ||= plan.stage === undefined || stages.get(queryId) === plan.stage
      if (!entered || statements++ < (plan.statements ?? 0)) return result
      kill()
      return await new Promise<never>(() => {})
    },
  }

  return {
    get dead() {
      return dead
    },
    death: end.promise,
    connect: (database) => ({ ...database, kysely: database.kysely.withPlugin(plugin) }),
    arm(fault) {
      plan = fault
      entered = false
      statements = 0
    },
    disarm() {
      plan = undefined
    },
    kill,
    through,
    sleep: (ms, signal) => through(sleep(ms, signal)),
  }
}

interface QueryNode {
  readonly kind: string
}

/** The stage that a statement sets on a transfer session, if it does. */
function stageEntered(node: QueryNode): Stage | undefined {
  if (node.kind !== 'UpdateQueryNode' && node.kind !== 'InsertQueryNode') return undefined
  if (!textOf(node).includes('"morango_transfer_session"')) return undefined
  const values = 'updates' in node ? node.updates : 'values' in node ? node.values : undefined
  const texts = textOf(values ?? null).match(/"[a-z]+"/g) ?? []
  return texts.map((text) => text.slice(1, -1)).find(isStage)
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part))
}

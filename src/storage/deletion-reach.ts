import { type Kysely, sql } from 'kysely'
import { type Filter, filterContains } from '../core/filter.ts'
import type { EngineContext } from './context.ts'
import type { DeletionSource } from './deletion-source.ts'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'
import { peerCertificateId } from './transfer-peer.ts'

/** The reason that a deletion waits with which would take rows with it that its sender may not write. */
export const REACHES_FURTHER = 'deletion-reaches-further'

/** What a deletion may take with it. */
export interface Reach {
  /** Who may not write a partition: the deletion's sender, or this device; undefined when both may. */
  readonly refusedBy: (partition: string) => 'sender' | 'device' | undefined
  /** The transfer that brought the deletion; null when it is this device's own. */
  readonly transfer: string | null
}

/** A deletion that an operator carries out as his own may take everything with it. */
export const FULL_REACH: Reach = { refusedBy: () => undefined, transfer: null }

/** Finds out what deletions may take with them; what it has looked up it remembers. */
export interface Reaches {
  of(source: DeletionSource): Promise<Reach>
}

/**
 * What the deletions of one turn may take with them: what the certificate of their sender lets it write, and what this
 * device may write itself, for it stamps what falls (protocol §11).
 */
export function createReaches(trx: Kysely<Schema>, context: EngineContext, profile: string): Reaches {
  const senders = new Map<string, Filter>()
  const reaches = new Map<string, Reach>()
  let own: Filter | undefined
  const senderScope = async (transfer: string): Promise<Filter> => {
    const known = senders.get(transfer)
    if (known !== undefined) return known
    const certificate = await peerCertificateId(trx, transfer)
    const scope = certificate === undefined ? undefined : await context.writeScope?.(trx, certificate)
    senders.set(transfer, scope ?? [])
    return scope ?? []
  }
  return {
    async of({ transfer, partition }) {
      const limited = context.writeScope !== undefined
      const scope = limited && transfer !== null ? await senderScope(transfer) : ['']
      // Of a sender who is not known any more only this is certain.
      const sender = filterContains(scope, partition) ? scope : [...scope, partition]
      const key = JSON.stringify([transfer, sender.length === scope.length ? '' : partition])
      const known = reaches.get(key)
      if (known !== undefined) return known
      own ??= limited ? ((await context.ownWriteScope?.(trx, profile)) ?? ['']) : ['']
      const device = own
      const reach: Reach = {
        transfer,
        refusedBy: (other) =>
          !filterContains(sender, other) ? 'sender' : filterContains(device, other) ? undefined : 'device',
      }
      reaches.set(key, reach)
      return reach
    },
  }
}

/** A row that fell with deleted ones, or was changed by that. */
export interface Fallen {
  readonly model: string
  readonly id: string
  /** Of its record; null when it has none. */
  readonly partition: string | null
  /** Whether it had changes that were not serialized. */
  readonly unserialized: boolean
  /** Whether a deletion of its own has arrived. */
  readonly deleted: boolean
}

/** What the triggers have logged after `since`, the given records of a model left out. */
export async function readFallen(
  trx: Kysely<Schema>,
  dialect: Dialect,
  since: number,
  model: string,
  ids: readonly string[],
): Promise<Fallen[]> {
  const own = JSON.stringify(ids)
  const earlier =
    dialect.sideBySide === undefined
      ? sql`morango_pending`
      : sql`(select model_name, record_id from morango_pending
          union all select model_name, record_id from morango_change_log where seq <= ${since})`
  const found = await sql<{
    model: string
    id: string
    partition: string | null
    pending: number
    deleted: number
  }>`
    select l.model_name as model, l.record_id as id, s.partition, coalesce(s.deleted, 0) as deleted,
      case when exists (select 1 from ${earlier} p
        where p.model_name = l.model_name and p.record_id = l.record_id) then 1 else 0 end as pending
    from (select distinct model_name, record_id from morango_change_log where seq > ${since}
      and not (model_name = ${model} and record_id in (select value from ${dialect.list(own)}))) l
    left join morango_store s on s.id = l.record_id and s.model_name = l.model_name`.execute(trx)
  return found.rows.map(({ pending, deleted, ...row }) => ({
    ...row,
    unserialized: Number(pending) === 1 || row.partition === null,
    deleted: Number(deleted) === 1,
  }))
}

/** Why what fell must not; undefined when it may. */
export function reachProblem(reach: Reach, fallen: readonly Fallen[]): string | undefined {
  const beyond = fallen.filter(
    ({ partition, deleted }) => !deleted && (partition === null || reach.refusedBy(partition) !== undefined),
  )
  const [first] = beyond
  if (first === undefined) return undefined
  const partitions = [...new Set(beyond.map(({ partition }) => partition ?? 'not known'))]
  const named = partitions.slice(0, MOST_NAMED).join(', ') + (partitions.length > MOST_NAMED ? ', …' : '')
  const byDevice = first.partition !== null && reach.refusedBy(first.partition) === 'device'
  return (
    `Rows would be deleted or changed with it that ${byDevice ? 'this device' : 'its sender'} may not write: ` +
    `${countedByModel(beyond)} (partitions: ${named}). The deletion waits until they are gone or refer to something else, ` +
    'or until the operator carries it out with `morango problems accept`'
  )
}

/** Why rows with changes that could not be serialized must not fall. */
export function unserializedProblem(fallen: readonly Fallen[]): string {
  return (
    `Rows would be deleted with it whose changes could not be serialized: ${countedByModel(fallen)}. ` +
    'The deletion waits until they are; see the problems of these rows'
  )
}

function countedByModel(fallen: readonly Fallen[]): string {
  return [...Map.groupBy(fallen, ({ model }) => model)]
    .map(([name, rows]) => `${rows.length} of ${name}`)
    .join(', ')
}

const MOST_NAMED = 3

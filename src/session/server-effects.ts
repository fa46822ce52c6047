import { isMorangoError } from '../core/errors.ts'
import type { Owner } from '../storage/quota-usage.ts'
import { finishTransfer, getTransfer, moveTransfer, updateTransfer } from '../storage/transfer-sessions.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import type { Effect, MachineEvent } from './machine-types.ts'
import type { FsicFormat, LeaseHold } from './ports.ts'
import type { Perform } from './runner.ts'
import { timestamp } from './service-context.ts'
import type { ServiceOptions } from './service-context.ts'
import type { StagePlaces } from './stage-places.ts'
import { doEngineWork } from './stage-work.ts'

/** Does a server's effects for one run over a transfer. Failures of the engine become its `error`. */
export function performForServer(
  options: ServiceOptions,
  begun: TransferRecord,
  {
    profile,
    format,
    owner,
    places,
  }: {
    readonly profile: string
    readonly format: FsicFormat
    readonly owner: Owner
    readonly places: StagePlaces
  },
  lease: LeaseHold,
): Perform {
  const { db, engine, clock } = options
  let position = begun
  let reason: string | null = null

  return async (effect, state): Promise<MachineEvent | undefined> => {
    switch (effect.kind) {
      case 'move':
        return move(effect)
      case 'work':
        try {
          return await work(effect, state.empty)
        } catch (error) {
          if (isMorangoError(error, 'lease-lost')) return { kind: 'busy' }
          reason = describeFailure(error)
          return { kind: 'failed' }
        }
      case 'finish':
        await engine.clearBuffers(begun, lease)
        await finishTransfer(db, begun.id, timestamp(clock))
        return undefined
      default:
        throw new Error(`A server cannot ${effect.kind}`)
    }
  }

  async function move(effect: Effect & { kind: 'move' }): Promise<MachineEvent | undefined> {
    const { stage, status } = effect
    if (status !== 'started' && position.stage === stage && position.status === status) return undefined
    const now = timestamp(clock)
    const error = status === 'errored' ? (reason ?? 'Not all records were transferred') : null
    const moved = await moveTransfer(db, position, { stage, status, error }, now)
    if (moved === undefined) return { kind: 'busy' }
    position = moved
    return undefined
  }

  async function work(effect: Effect & { kind: 'work' }, empty: boolean): Promise<MachineEvent> {
    if (effect.work === 'await-records') {
      const transfer = await getTransfer(db, begun.id)
      if (transfer?.active !== true) return { kind: 'gone' }
      const complete = transfer.recordsTotal === transfer.recordsTransferred
      return complete ? { kind: 'worked', empty: transfer.recordsTotal === 0 } : { kind: 'short' }
    }
    if (effect.work === 'send' || effect.work === 'receive') {
      throw new Error(`A server does not ${effect.work}`)
    }
    const { work: part } = effect
    const context = { engine, profile, format, isServer: true, lease, certificates: options }
    // It waits under its lease, `started`: so a client goes on asking, and another process does not take it over.
    const { changes } = await places.inTurn(owner, () => doEngineWork(context, position, part))
    position = await updateTransfer(db, begun.id, changes, timestamp(clock), lease)
    return { kind: 'worked', empty: changes.recordsTotal === undefined ? empty : changes.recordsTotal === 0 }
  }
}

/** One line on an error, for the `error` column and the log. */
export function describeFailure(error: unknown): string {
  if (isMorangoError(error)) return error.message
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

import { isStage } from '../../src/core/stages.ts'
import type { Transferred } from '../../interop/peer.ts'
import { partOfStage, secondsByPart, TRANSFER_PARTS, type TransferPart } from '../parts.ts'
import type { Exchange } from './wire.ts'

/** A part of a transfer, or what is around transfers: certificates, and opening and closing the session. */
export type Part = TransferPart | 'session'

/** All parts, in the order of a table. */
export const PARTS: readonly Part[] = ['session', ...TRANSFER_PARTS]

/** Seconds by part. They add up to the whole. */
export type PartSeconds = Readonly<Partial<Record<Part, number>>>

/** How long each part took by the client's own word; undefined when it does not tell. */
export function toldSeconds(transfers: readonly Transferred[], total: number): PartSeconds | undefined {
  const told = transfers.map(({ stages }) => stages)
  if (!told.every((stages) => stages !== undefined)) return undefined
  const seconds = secondsByPart(told)
  const rest = total - Object.values(seconds).reduce((sum, value) => sum + value, 0)
  const none = Object.fromEntries(TRANSFER_PARTS.map((part) => [part, 0]))
  return { session: Math.max(0, rest), ...none, ...seconds }
}

/**
 * Tells from the requests how long each part took. In each stage the client first does its own part and then asks
 * the server for its own, so a stage ends with the answer to its last request, and the next one begins there.
 *
 * @param exchanges - of one sync, in the order of their beginnings
 * @param span - from when to when it ran, in the milliseconds of the exchanges
 */
export function seenSeconds(
  exchanges: readonly Exchange[],
  span: { readonly start: number; readonly end: number },
): PartSeconds {
  const seconds: Partial<Record<Part, number>> = {}
  let current: Part = 'session'
  let since = span.start
  let last = span.start
  const add = (until: number): void => {
    seconds[current] = (seconds[current] ?? 0) + (until - since) / 1000
    since = until
  }
  for (const [index, exchange] of exchanges.entries()) {
    const part: Part | undefined = partOf(exchange, exchanges[index + 1], current)
    if (part === undefined) continue
    if (part !== current) {
      add(last)
      current = part
    }
    last = Math.max(last, exchange.end)
  }
  add(span.end)
  return seconds
}

function partOf(exchange: Exchange, next: Exchange | undefined, current: Part): Part | undefined {
  const { method, path, stage } = exchange
  const [resource = ''] = path.split('/')
  if (resource === 'buffers') return 'transferring'
  if (resource !== 'transfersessions') return 'session'
  if (method === 'POST') return partOfStage('initializing')
  if (method === 'DELETE') return 'cleanup'
  if (stage !== undefined && isStage(stage)) return partOfStage(stage)
  // A look at the session just before the next stage is asked for comes when the client has done its own part of
  // that stage already. The looks before it were to see whether the server is ready.
  return method === 'GET' && !isLook(next) ? undefined : current
}

function isLook(exchange: Exchange | undefined): boolean {
  return exchange?.method === 'GET' && exchange.path.startsWith('transfersessions/')
}

import { expect } from 'vitest'
import type { Dump, Peer, Transferred } from './peer.ts'

/** Fails unless both peers hold the same records with the same history, all applied, and no buffers. */
export async function expectSame(a: Peer, b: Peer): Promise<{ readonly a: Dump; readonly b: Dump }> {
  const [one, other] = [await a.dump({}), await b.dump({})]
  expect(other.store).toEqual(one.store)
  expect(other.app).toEqual(one.app)
  expect([one.buffers, other.buffers]).toEqual([0, 0])
  expect(one.store.filter(({ dirty }) => dirty)).toEqual([])
  return { a: one, b: other }
}

/** The numbers of the transfers, pull and push in their order. */
export function moved(transfers: readonly Transferred[]): number[] {
  for (const { total, transferred } of transfers) expect(transferred).toBe(total)
  return transfers.map(({ transferred }) => transferred)
}

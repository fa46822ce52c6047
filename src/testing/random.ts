import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Random } from '../core/ports.ts'

/** Randomness that is the same in every run, for the same seed. */
export interface SeededRandom extends Random {
  /** A whole number from 0 to `below` - 1. */
  integer(below: number): number
  /** One of the items. */
  pick<T>(items: readonly [T, ...T[]]): T
}

/** A generator of ids and choices from a seed of any kind. */
export function createSeededRandom(seed: string | number): SeededRandom {
  let drawn = 0
  const next = (): Uint8Array => sha256(new TextEncoder().encode(`${seed}:${drawn++}`))
  const integer = (below: number): number => new DataView(next().buffer).getUint32(0) % below
  return {
    uuid: () => bytesToHex(next().slice(0, 16)),
    integer,
    pick: (items) => items[integer(items.length)] ?? items[0],
  }
}

/**
 * The hash of a record's version, of which sets of records have a sum (protocol §6). It has to come out the same in SQL
 * on every database (`storage/version-hash-sql.ts`), and cost little, as every record goes through it. So it is arithmetic
 * on integers below 2^63, and no cryptography.
 *
 * Records that got lost, or stayed at an earlier version, do not cancel out by accident: both halves are of the second
 * degree in the id and the counter. They can be made to cancel out on purpose. Whoever does has to write records in the
 * name of the instance whose sum it is, under a partition that it may write; there it can hide what is missing by telling
 * a wrong sum just as well. What it may not write it cannot touch: each partition has sums of its own.
 */

/** The prime 2^31 − 1. */
export const HASH_PRIME = 2_147_483_647

/** Both halves of a sum are kept modulo 2^32. */
export const HALF = 4_294_967_296

/** Factors for the id's upper and lower part and the counter, and what is added. Any would do; all are below 2^30. */
export const HASH_FACTORS: {
  readonly x: readonly [number, number, number, number]
  readonly y: readonly [number, number, number, number]
} = {
  x: [1_009_321_873, 722_813_951, 901_288_537, 377_112_409],
  y: [538_207_061, 1_042_990_187, 614_657_233, 860_415_779],
}

/** A sum of hashes modulo 2^64, in two halves. */
export interface HashSum {
  readonly high: number
  readonly low: number
}

/**
 * The hash of one version. Of the id its first 8 and its last 7 digits count: those in between may be the same in all
 * ids, as in UUIDs by time. The instance does not count: each has sums of its own.
 *
 * @param id - 32 hex digits
 * @param counter - at which the instance saved it, below 2^31
 */
export function versionHash(id: string, counter: number): HashSum {
  const first = Number.parseInt(id.slice(0, 8), 16)
  const last = Number.parseInt(id.slice(25), 16)
  // The 15 digits as a number, its upper and its lower 30 bits.
  const upper = first >>> 2
  const lower = (first & 3) * 0x1000_0000 + last
  const { x, y } = HASH_FACTORS
  const a = combine(x, upper, lower, counter)
  const b = combine(y, upper, lower, counter)
  return { high: (product(a, a) + b) % HASH_PRIME, low: (product(b, b) + a) % HASH_PRIME }
}

/** The sum of two sums. */
export function addSums(a: HashSum, b: HashSum): HashSum {
  return { high: (a.high + b.high) % HALF, low: (a.low + b.low) % HALF }
}

/** A sum as it travels: 16 hex digits. */
export function sumToText({ high, low }: HashSum): string {
  return [high, low].map((half) => half.toString(16).padStart(8, '0')).join('')
}

function combine(
  [upperFactor, lowerFactor, counterFactor, added]: readonly [number, number, number, number],
  upper: number,
  lower: number,
  counter: number,
): number {
  const parts = product(upperFactor, upper) + product(lowerFactor, lower) + product(counterFactor, counter)
  return (parts + added) % HASH_PRIME
}

/** The product of two numbers below 2^31, modulo the prime: in two steps, for a number is exact to 2^53 only. */
function product(a: number, b: number): number {
  return (((a * (b >>> 16)) % HASH_PRIME) * 0x1_0000 + a * (b & 0xffff)) % HASH_PRIME
}

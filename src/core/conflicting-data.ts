import { MAX_CONFLICTING_BYTES, MAX_CONFLICTING_VERSIONS } from './limits.ts'
import { utf8Bytes } from './text-bytes.ts'

/** The conflicting data of a record as far as it is kept with it, and what is left out. */
export interface BoundedData {
  readonly kept: string
  /** The versions left out, the newest first. They belong into the conflict log: nothing is lost. */
  readonly dropped: readonly string[]
}

/**
 * Bounds what a record keeps of versions that lost a conflict (protocol §8): JSON texts, each followed by a newline, the
 * newest first. Without a bound each conflict makes the record longer, at every peer that has it.
 */
export function boundConflictingData(text: string): BoundedData {
  // Most records have none, and hardly any has much.
  if (
    text === '' ||
    (text.length * 3 <= MAX_CONFLICTING_BYTES && linesOf(text) <= MAX_CONFLICTING_VERSIONS)
  ) {
    return { kept: text, dropped: [] }
  }
  const versions = text.split('\n').filter((version) => version !== '')
  let bytes = 0
  let count = 0
  for (const version of versions) {
    bytes += utf8Bytes(version) + 1
    if (count === MAX_CONFLICTING_VERSIONS || bytes > MAX_CONFLICTING_BYTES) break
    count += 1
  }
  const kept = versions.slice(0, count)
  return { kept: kept.map((version) => `${version}\n`).join(''), dropped: versions.slice(count) }
}

function linesOf(text: string): number {
  let lines = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}

import { MAX_CONFLICTING_BYTES, MAX_CONFLICTING_VERSIONS } from './limits.ts'
import { utf8Bytes } from './text-bytes.ts'

/** The conflicting data of a record as far as it is kept with it, and what is left out. */
export interface BoundedData {
  readonly kept: string
  /**
   * The versions left out, the newest first. They belong into the conflict log: nothing is lost. Of very many the oldest
   * are one text.
   */
  readonly dropped: readonly string[]
}

/** The most entries that one record's versions make in the conflict log at once. */
const MOST_DROPPED = 100

/** The log keeps the record's text with each entry. So many characters these copies have at most. */
const MOST_REPEATED = 1024 * 1024

/**
 * Bounds what a record keeps of versions that lost a conflict (protocol §8): JSON texts, each followed by a newline, the
 * newest first. Without a bound each conflict makes the record longer, at every peer that has it.
 *
 * @param beside - how long the text is that is kept with each version dropped: a peer that sends a long record with a
 * million versions would otherwise have it kept a million times
 */
export function boundConflictingData(text: string, beside = 0): BoundedData {
  // Most records have none, and hardly any has much.
  if (
    text === '' ||
    (text.length * 3 <= MAX_CONFLICTING_BYTES && linesOf(text) <= MAX_CONFLICTING_VERSIONS)
  ) {
    return { kept: text, dropped: [] }
  }
  const mostDropped = Math.max(1, Math.min(MOST_DROPPED, Math.floor(MOST_REPEATED / (beside + 1))))
  const kept: string[] = []
  const dropped: string[] = []
  let bytes = 0
  let at = 0
  while (at < text.length) {
    const newline = text.indexOf('\n', at)
    const end = newline === -1 ? text.length : newline
    const version = text.slice(at, end)
    const begin = at
    at = end + 1
    if (version === '') continue
    bytes += utf8Bytes(version) + 1
    const hasRoom =
      dropped.length === 0 && kept.length < MAX_CONFLICTING_VERSIONS && bytes <= MAX_CONFLICTING_BYTES
    if (hasRoom) {
      kept.push(version)
    } else if (dropped.length < mostDropped - 1 || at >= text.length) {
      dropped.push(version)
    } else {
      dropped.push(text.slice(begin))
      break
    }
  }
  return { kept: kept.map((version) => `${version}\n`).join(''), dropped }
}

function linesOf(text: string): number {
  let lines = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}

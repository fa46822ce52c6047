/** The order of texts by their UTF-16 units, in which what starts with a text follows it at once. */
export function compareUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The place of the last of `sorted` that is equal to `text` or before it; -1 when there is none. */
export function lastNotAfter(sorted: readonly string[], text: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? '') <= text) low = middle + 1
    else high = middle
  }
  return low - 1
}

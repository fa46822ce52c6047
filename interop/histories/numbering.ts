/**
 * Whether two counters are the same one. While both sides count alike they are when they are equal. Once a quirk
 * has made one of them count further, the versions of records are the same up to their numbers, which keep their
 * order; and two claims are the same when they cover the same versions.
 */
export interface Numbering {
  /** From now on up to their order. */
  loosen(): void
  /** The versions of one record, as `a3 *b2`. */
  sameVersions(theirs: string, ours: string): boolean
  /** Database max counters, as `a3 b2`. */
  sameClaims(theirs: string, ours: string): boolean
  sameCounter(theirs: string, ours: string): boolean
}

/** A counter as it is written: `a3`. */
export interface Entry {
  readonly instance: string
  readonly counter: number
  readonly last: boolean
}

/** The counters in a text. */
export function parseEntries(text: string): Entry[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [, star = '', instance = '', counter = ''] = /^(\*?)(\D+)(\d+)/.exec(word) ?? []
      return { instance, counter: Number(counter), last: star !== '' }
    })
}

export function createNumbering(): Numbering {
  let loose = false
  // By instance: their number of a version, and ours.
  const known = new Map<string, Map<number, number>>()

  function fits(instance: string, theirs: number, ours: number): boolean {
    const numbers = known.get(instance) ?? new Map<number, number>()
    known.set(instance, numbers)
    const keepsOrder = [...numbers].every(
      ([one, other]) => Math.sign(one - theirs) === Math.sign(other - ours),
    )
    if (keepsOrder) numbers.set(theirs, ours)
    return keepsOrder
  }

  function paired(theirs: string, ours: string): (readonly [Entry, Entry])[] | undefined {
    const [one, other] = [parseEntries(theirs), parseEntries(ours)]
    if (one.length !== other.length) return undefined
    const pairs: (readonly [Entry, Entry])[] = []
    for (const [index, entry] of one.entries()) {
      const opposite = other[index]
      if (opposite?.instance !== entry.instance || opposite.last !== entry.last) return undefined
      pairs.push([entry, opposite])
    }
    return pairs
  }

  return {
    loosen() {
      loose = true
    },
    sameVersions(theirs, ours) {
      const pairs = paired(theirs, ours)
      if (pairs === undefined) return false
      const fit = pairs.map(([one, other]) => fits(one.instance, one.counter, other.counter))
      return loose ? fit.every(Boolean) : theirs === ours
    },
    sameClaims(theirs, ours) {
      if (!loose) return theirs === ours
      const pairs = paired(theirs, ours)
      return (
        pairs?.every(([one, other]) =>
          [...(known.get(one.instance) ?? [])].every(
            ([number, ourNumber]) => number <= one.counter === ourNumber <= other.counter,
          ),
        ) ?? false
      )
    },
    sameCounter: (theirs, ours) => loose || theirs === ours,
  }
}

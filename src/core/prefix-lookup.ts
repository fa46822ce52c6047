import { compareUnits, lastNotAfter } from './sorted-texts.ts'

/**
 * Finds the values stored under the prefixes of a text, without looking at all of them: each knows the longest other
 * that it starts with.
 */
export class PrefixLookup<T> {
  readonly #values: ReadonlyMap<string, T>
  readonly #sorted: readonly string[]
  /** For each of {@link PrefixLookup.#sorted} the place of the longest that it starts with; -1: none. */
  readonly #wider: readonly number[]

  constructor(values: ReadonlyMap<string, T>) {
    this.#values = values
    this.#sorted = [...values.keys()].toSorted(compareUnits)
    const wider: number[] = []
    for (const [place, text] of this.#sorted.entries()) {
      let candidate = place - 1
      while (candidate >= 0 && !text.startsWith(this.#sorted[candidate] ?? ''))
        candidate = wider[candidate] ?? -1
      wider.push(candidate)
    }
    this.#wider = wider
  }

  /** The values under every proper prefix of `text`, the shortest first. */
  properPrefixesOf(text: string): T[] {
    return this.#prefixesOf(text, false)
  }

  /** The values under every prefix of `text`, itself included, the shortest first. */
  prefixesOf(text: string): T[] {
    return this.#prefixesOf(text, true)
  }

  #prefixesOf(text: string, withItself: boolean): T[] {
    const found: T[] = []
    let place = lastNotAfter(this.#sorted, text)
    for (; place >= 0; place = this.#wider[place] ?? -1) {
      const prefix = this.#sorted[place] ?? ''
      if (!text.startsWith(prefix) || (prefix === text && !withItself)) continue
      const value = this.#values.get(prefix)
      if (value !== undefined) found.push(value)
    }
    return found.toReversed()
  }
}

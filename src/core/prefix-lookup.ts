/**
 * Finds the values stored under the prefixes of a text, without looking at all of them: it tries only the
 * lengths that occur.
 */
export class PrefixLookup<T> {
  readonly #values: ReadonlyMap<string, T>
  readonly #lengths: readonly number[]

  constructor(values: ReadonlyMap<string, T>) {
    this.#values = values
    const lengths = new Set(Array.from(values.keys(), (prefix) => prefix.length))
    this.#lengths = [...lengths].toSorted((a, b) => a - b)
  }

  /** The values under every proper prefix of `text`, the shortest first. */
  properPrefixesOf(text: string): T[] {
    const found: T[] = []
    for (const length of this.#lengths) {
      if (length >= text.length) break
      const value = this.#values.get(text.slice(0, length))
      if (value !== undefined) found.push(value)
    }
    return found
  }

  /** The values under every prefix of `text`, itself included, the shortest first. */
  prefixesOf(text: string): T[] {
    const found = this.properPrefixesOf(text)
    const own = this.#values.get(text)
    if (own !== undefined) found.push(own)
    return found
  }
}

/**
 * Finds the values stored under the prefixes of a text, without looking at all of them: it tries only the
 * lengths that occur. Of the values under one key all are found.
 */
export class PrefixLookup<T> {
  readonly #values = new Map<string, T[]>()
  readonly #lengths: number[]

  constructor(entries: Iterable<readonly [prefix: string, value: T]>) {
    for (const [prefix, value] of entries) {
      const present = this.#values.get(prefix)
      if (present === undefined) this.#values.set(prefix, [value])
      else present.push(value)
    }
    const lengths = new Set(Array.from(this.#values.keys(), (prefix) => prefix.length))
    this.#lengths = [...lengths].toSorted((a, b) => a - b)
  }

  /** The values under every proper prefix of `text`, the shortest first. */
  properPrefixesOf(text: string): T[] {
    const found: T[] = []
    for (const length of this.#lengths) {
      if (length >= text.length) break
      found.push(...(this.#values.get(text.slice(0, length)) ?? []))
    }
    return found
  }

  /** The values under every prefix of `text`, itself included, the shortest first. */
  prefixesOf(text: string): T[] {
    return [...this.properPrefixesOf(text), ...(this.#values.get(text) ?? [])]
  }
}

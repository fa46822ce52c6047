/** Lets go of a place. To be called once. */
export type Leave = () => void

/** So many places for each key, and a bounded queue before them. */
export interface KeyedPlaces {
  /**
   * Waits for a place, after all that came before with that key.
   *
   * @param patience - how long to wait: until it settles; missing: as long as it takes
   * @returns what gives the place back; undefined when the queue is full, or patience is at an end
   */
  enter(key: string, patience?: Promise<unknown>): Promise<Leave | undefined>
  /** How many wait, with whatever key. */
  readonly waiting: number
}

/**
 * Makes places in this process.
 *
 * @param most.places - of each key
 * @param most.waiting - in the queue of each key
 */
export function createKeyedPlaces(most: {
  readonly places: (key: string) => number
  readonly waiting: number
}): KeyedPlaces {
  const keys = new Map<string, { taken: number; readonly queue: Set<() => void> }>()
  let waiting = 0

  return {
    get waiting() {
      return waiting
    },
    async enter(key, patience) {
      const entry = keys.get(key) ?? { taken: 0, queue: new Set<() => void>() }
      keys.set(key, entry)
      if (entry.taken < most.places(key)) {
        entry.taken++
        return leaveOnce(key)
      }
      if (entry.queue.size >= most.waiting) return undefined
      const turn = Promise.withResolvers<boolean>()
      const begin = (): void => turn.resolve(true)
      entry.queue.add(begin)
      waiting++
      patience?.then(
        () => turn.resolve(false),
        () => turn.resolve(false),
      )
      const came = await turn.promise
      waiting--
      // Whoever lost patience in the moment in which a place became free has got it.
      if (!came && entry.queue.delete(begin)) return undefined
      return leaveOnce(key)
    },
  }

  function leaveOnce(key: string): Leave {
    let left = false
    return () => {
      if (left) return
      left = true
      const entry = keys.get(key)
      if (entry === undefined) return
      const [next] = entry.queue
      if (next !== undefined) {
        // The place goes on to the next.
        entry.queue.delete(next)
        next()
      } else if (--entry.taken === 0) keys.delete(key)
    }
  }
}

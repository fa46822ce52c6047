/** Runs work after all that was begun before with one of the same keys. @returns what the work returns */
export type KeyedQueue<Key> = <T>(keys: readonly Key[], work: () => Promise<T>) => Promise<T>

/**
 * Makes a queue in which what has a key in common is done one after the other, and all else side by side.
 *
 * @param release - begins what waits, once what it waited for is done; at once by default
 */
export function createKeyedQueue<Key>(
  release: (begin: () => void) => unknown = (begin) => begin(),
): KeyedQueue<Key> {
  const last = new Map<Key, Promise<void>>()
  return async (keys, work) => {
    const own = Promise.withResolvers<void>()
    const before = keys.flatMap((key) => last.get(key) ?? [])
    for (const key of keys) last.set(key, own.promise)
    await Promise.all(before)
    try {
      return await work()
    } finally {
      release(() => {
        for (const key of keys) if (last.get(key) === own.promise) last.delete(key)
        own.resolve()
      })
    }
  }
}

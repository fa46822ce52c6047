const queues = new WeakMap<object, Map<bigint, Promise<void>>>()

/**
 * Runs `work` after all that this process began before with one of the keys on the same database. Who waits for a
 * lock in the database keeps a connection; when all of a pool wait for one lock, nothing else is answered.
 */
export async function inLocalOrder<T>(
  database: object,
  keys: readonly bigint[],
  work: () => Promise<T>,
): Promise<T> {
  const queue = queues.get(database) ?? new Map<bigint, Promise<void>>()
  queues.set(database, queue)
  const own = Promise.withResolvers<void>()
  const before = keys.flatMap((key) => queue.get(key) ?? [])
  for (const key of keys) queue.set(key, own.promise)
  await Promise.all(before)
  try {
    return await work()
  } finally {
    for (const key of keys) if (queue.get(key) === own.promise) queue.delete(key)
    own.resolve()
  }
}

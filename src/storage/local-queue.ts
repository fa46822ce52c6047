import { createKeyedQueue, type KeyedQueue } from '../core/keyed-queue.ts'

const queues = new WeakMap<object, KeyedQueue<bigint>>()

/**
 * Runs `work` after all that this process began before with one of the keys on the same database. Who waits for a
 * lock in the database keeps a connection; when all of a pool wait for one lock, nothing else is answered.
 */
export async function inLocalOrder<T>(
  database: object,
  keys: readonly bigint[],
  work: () => Promise<T>,
): Promise<T> {
  const queue = queues.get(database) ?? createKeyedQueue<bigint>()
  queues.set(database, queue)
  return await queue(keys, work)
}

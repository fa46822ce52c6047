import type { BufferPage } from '../protocol/messages.ts'

/** How many pages are on their way while one is being stored. With none, the peer would rest meanwhile. */
const PAGES_AHEAD = 2

/**
 * Fetches pages that are asked for in order, the next ones ahead, as if all were full. A page that is not full is
 * no error: the pages that were fetched in vain are dropped.
 */
export function readAhead(
  { pageSize, total }: { readonly pageSize: number; readonly total: number },
  fetchFrom: (offset: number) => Promise<BufferPage>,
): (offset: number) => Promise<BufferPage> {
  let coming = new Map<number, Promise<BufferPage>>()
  return async (offset) => {
    if (!coming.has(offset)) coming = new Map()
    const end = Math.min(total, offset + (PAGES_AHEAD + 1) * pageSize)
    for (let start = offset; start < end; start += pageSize) {
      if (!coming.has(start)) coming.set(start, ahead(fetchFrom(start)))
    }
    const page = coming.get(offset)
    coming.delete(offset)
    return await (page ?? fetchFrom(offset))
  }
}

/** Work that is started before it is waited for: a failure is seen when it is. */
export function ahead<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {})
  return work
}

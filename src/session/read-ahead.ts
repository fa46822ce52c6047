import type { BufferPage } from '../protocol/messages.ts'
import { ahead } from './ahead.ts'

/** How many pages are on their way while one is being stored. With none, the peer would rest meanwhile. */
const PAGES_AHEAD = 2

/**
 * Fetches pages that are asked for in order, the next ones ahead, as if all were full. A page that is not full is
 * no error: the pages that were fetched in vain are dropped.
 *
 * @param options.sizes - `size`: how many records the next page is to have
 * @param options.pagesAhead - how many; a page fetched in vain is paid for all the same
 */
export function readAhead(
  {
    sizes,
    total,
    pagesAhead = PAGES_AHEAD,
  }: { readonly sizes: { readonly size: number }; readonly total: number; readonly pagesAhead?: number },
  fetchFrom: (offset: number, limit: number) => Promise<BufferPage>,
): (offset: number) => Promise<BufferPage> {
  let coming: { readonly offset: number; readonly page: Promise<BufferPage> }[] = []
  let end = 0
  return async (offset) => {
    if (coming[0]?.offset !== offset) {
      coming = []
      end = offset
    }
    while (coming.length <= pagesAhead && (end < total || coming.length === 0)) {
      const limit = sizes.size
      coming.push({ offset: end, page: ahead(fetchFrom(end, limit)) })
      end += limit
    }
    const wanted = coming.shift()
    if (wanted === undefined) throw new Error('No page was asked for')
    return await wanted.page
  }
}

import { isMorangoError } from '../core/errors.ts'
import type { Morango } from '../morango.ts'
import { createHttpPeer } from '../transport/http/client.ts'

/**
 * Knocks once. A sync tries again and again to reach its peer, which is right half way through; of a mistyped
 * URL the person at the terminal wants to hear at once.
 *
 * @throws MorangoError `invalid-argument`, `network`, `aborted`
 */
export async function reachPeer(
  url: string,
  { capabilities }: Pick<Morango, 'capabilities'>,
  signal?: AbortSignal,
): Promise<void> {
  const peer = createHttpPeer(url, { capabilities, retries: 0, signal })
  try {
    await peer.info()
  } catch (error) {
    if (isMorangoError(error, 'network') || isMorangoError(error, 'aborted')) throw error
    // Busy, or no peer at all: the calls to come know better what to make of that.
  }
}

import type { Clock } from '../core/ports.ts'

/** Tells a peer a growing count, without holding up who counts. */
export interface Teller {
  /**
   * @param last that nothing comes after it for now, so that it is told without delay
   * @throws what an earlier call to the peer threw
   */
  tell(count: number, last: boolean): void
  /** Waits until nothing is on its way; never rejects. */
  settle(): Promise<void>
  /** @throws what a call to the peer threw */
  requireTold(): void
}

/** How often a peer is told. */
export interface TellerPace {
  readonly clock: Clock
  /** So much time is between two calls, in milliseconds. */
  readonly everyMs: number
}

/** Makes one call at a time: counts that come meanwhile give way to the last of them, which is always told. */
export function createTeller(
  tellOnce: (count: number) => Promise<void>,
  { clock, everyMs }: TellerPace,
): Teller {
  let latest = -1
  let told = -1
  let begunAt = clock.now().getTime()
  let urgent = false
  const isDue = (): boolean => urgent || clock.now().getTime() - begunAt >= everyMs
  let running: Promise<void> | undefined
  let failure: { readonly error: unknown } | undefined

  async function run(): Promise<void> {
    try {
      do {
        const count = latest
        begunAt = clock.now().getTime()
        // oxlint-disable-next-line no-await-in-loop
        await tellOnce(count)
        told = count
      } while (told < latest && isDue())
    } catch (error) {
      failure = { error }
    }
    running = undefined
  }

  function requireTold(): void {
    if (failure !== undefined) throw failure.error
  }

  return {
    tell(count, last) {
      requireTold()
      if (count <= latest) return
      latest = count
      urgent ||= last
      if (isDue()) running ??= run()
    },
    settle: async () => await running,
    requireTold,
  }
}

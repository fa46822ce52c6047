/** Tells a peer a growing count, without holding up who counts. */
export interface Teller {
  /** @throws what an earlier call to the peer threw */
  tell(count: number): void
  /** Waits until nothing is on its way; never rejects. */
  settle(): Promise<void>
  /** @throws what a call to the peer threw */
  requireTold(): void
}

/** Makes one call at a time: counts that come meanwhile give way to the last of them, which is always told. */
export function createTeller(tellOnce: (count: number) => Promise<void>): Teller {
  let latest = -1
  let told = -1
  let running: Promise<void> | undefined
  let failure: { readonly error: unknown } | undefined

  async function run(): Promise<void> {
    try {
      while (told < latest) {
        const count = latest
        // oxlint-disable-next-line no-await-in-loop
        await tellOnce(count)
        told = count
      }
    } catch (error) {
      failure = { error }
    }
    running = undefined
  }

  function requireTold(): void {
    if (failure !== undefined) throw failure.error
  }

  return {
    tell(count) {
      requireTold()
      if (count <= latest) return
      latest = count
      running ??= run()
    },
    settle: async () => await running,
    requireTold,
  }
}

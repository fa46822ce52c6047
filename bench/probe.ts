const PAUSE_MS = 50

/** Asks a server something again and again, as others would while it works. */
export interface Probe {
  /** @returns the longest that an answer took, in seconds */
  stop(): Promise<number>
}

/** Begins to ask for nonces: each is a row that the server writes. */
export function startProbe(url: string, pauseMs: number = PAUSE_MS): Probe {
  let stopped = false
  let longest = 0
  const asking = ask()
  // Whoever stops it hears of a failure.
  asking.catch(() => undefined)

  async function ask(): Promise<void> {
    while (!stopped) {
      const began = performance.now()
      // oxlint-disable-next-line no-await-in-loop
      const reply = await fetch(new URL('api/morango/v1/nonces/', url), { method: 'POST' })
      // oxlint-disable-next-line no-await-in-loop
      await reply.arrayBuffer()
      if (!reply.ok) throw new Error(`The server answered ${reply.status} to a request beside the sync`)
      longest = Math.max(longest, (performance.now() - began) / 1000)
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  return {
    async stop() {
      stopped = true
      await asking
      return longest
    },
  }
}

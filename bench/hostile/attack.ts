import type { Sent } from './caller.ts'
import type { Target } from './target.ts'

/** A request, or several at once, that is meant to stop the server. */
export interface Attack {
  readonly name: string
  /** Whether the attacker holds a certificate of the server's. */
  readonly signedIn: boolean
  /** Signs in and makes the bodies. What it gives sends them, and is what is measured. */
  readonly prepare: (target: Target) => Promise<() => Promise<readonly Sent[]>>
}

/** An attack of one request by anybody. */
export function byAnybody(name: string, request: (target: Target) => Promise<Sent>): Attack {
  return { name, signedIn: false, prepare: async (target) => async () => [await request(target)] }
}

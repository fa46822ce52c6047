import { expect } from 'vitest'
import { isMorangoError, type MorangoErrorCode } from '../../src/core/errors.ts'
import type { Peer } from '../../src/protocol/peer.ts'
import type { HttpPeerOptions } from '../../src/transport/http/client.ts'
import {
  expectBounded,
  expectEditsKept,
  expectEqualWithHonest,
  expectNothingLeaked,
  expectUntouched,
  untouchable,
} from './checks.ts'
import type { Tamper } from './layer.ts'
import { type Prepare, type Scene, stage } from './scene.ts'
import { FILTER, type World } from './world.ts'

/** How an attempt ends for the client. */
export type Outcome =
  /** With one of these codes. */
  | { readonly fails: readonly MorangoErrorCode[] }
  /** The sync succeeds, and records wait with such a problem. */
  | { readonly waits: string }
  /** The sync succeeds, as if nothing were. */
  | 'harmless'

/** Something that a malicious server tries on a client. */
export interface Attempt {
  readonly name: string
  readonly outcome: Outcome
  readonly tamper: (scene: Scene) => Tamper | Promise<Tamper>
  readonly prepare?: Prepare
  /** What the client does; a sync both ways when missing. */
  readonly run?: (peer: Peer, scene: Scene) => Promise<unknown>
  readonly client?: Partial<HttpPeerOptions>
  /** Capabilities that the server has not. */
  readonly without?: readonly string[]
  /** Whether a session is opened, so that the server's own certificate may be kept; true. */
  readonly opens?: boolean
  /** Whether the client takes a new identity. */
  readonly renews?: boolean
  /** How often the password is sent: to the server that it was given for. */
  readonly passwords?: number
  /** The most requests; 60. */
  readonly requests?: number
  /** The most bytes that the client takes; 4 MB. */
  readonly bytes?: number
  /** How many syncs with the server, honest by then, it takes until all is well; 1. */
  readonly resyncs?: number
  /** More to hold after it. */
  readonly after?: (scene: Scene) => Promise<void>
  /** What the operator does before the client syncs on. */
  readonly remedy?: (scene: Scene) => Promise<void>
}

/** Attempts of one kind. */
export interface Kind {
  readonly kind: string
  /** Whether each needs a client that does not know the server's certificate. */
  readonly strangers?: boolean
  /** Whether in most of these little comes to the database. */
  readonly wire?: boolean
  readonly attempts: readonly Attempt[]
}

const MEGABYTE = 1024 * 1024

/** Makes the attempt, and checks that it got nothing, broke nothing and stopped nobody. */
export async function make(attempt: Attempt, world: World, isStranger: boolean): Promise<void> {
  const { passwords = 0, requests = 60, bytes = 4 * MEGABYTE } = attempt
  const elsewhere = await world.elsewhere()
  const scene = await stage(world, elsewhere.url, { prepare: attempt.prepare, isStranger })
  let tamper: Tamper | undefined = await attempt.tamper(scene)
  const server = await world.attack(
    (call, honest) => (tamper === undefined ? honest() : tamper(call, honest)),
    new Set(attempt.without),
  )
  const before = await untouchable(world, attempt.renews)
  const peer = world.connect(server.url, attempt.client)
  const run = attempt.run ?? ((one: Peer) => world.client.morango.sync(one, { filter: FILTER }))
  const problemsBefore = await problemCodes(world)
  const end = await run(peer, scene).then(
    () => undefined,
    (error: unknown) => error ?? new Error('nothing was thrown'),
  )
  await expectOutcome(attempt.outcome, end, world, problemsBefore)
  await expectUntouched(world, before, attempt)
  expectNothingLeaked(server, elsewhere, passwords)
  expectBounded(server, requests, bytes)
  await expectEditsKept(scene)
  await attempt.after?.(scene)
  // Nothing that the attempt left holds up a sync with the same server once it is honest.
  tamper = undefined
  await attempt.remedy?.(scene)
  for (let time = 0; time < (attempt.resyncs ?? 1); time++) {
    await world.client.morango.sync(world.connect(server.url), { filter: FILTER })
  }
  await expectEqualWithHonest(scene)
  await expectEditsKept(scene)
}

async function problemCodes({ client }: World): Promise<string[]> {
  return (await client.morango.problems()).map(({ code }) => code)
}

async function expectOutcome(
  outcome: Outcome,
  end: unknown,
  world: World,
  before: readonly string[],
): Promise<void> {
  if (typeof outcome === 'object' && 'fails' in outcome) {
    const code = isMorangoError(end) ? end.code : ''
    if (outcome.fails.some((known) => known === code)) return
    throw new Error(`One of ${outcome.fails.join(', ')} was expected: ${describe(end)}`, { cause: end })
  }
  if (end !== undefined) throw new Error(`Success was expected: ${describe(end)}`, { cause: end })
  const now = await problemCodes(world)
  const fresh = now.slice()
  for (const code of before) {
    const at = fresh.indexOf(code)
    if (at >= 0) fresh.splice(at, 1)
  }
  expect(fresh).toEqual(outcome === 'harmless' ? [] : [outcome.waits])
}

function describe(end: unknown): string {
  if (!(end instanceof Error)) return String(end)
  return `${isMorangoError(end) ? end.code : end.name}: ${end.message} ${String(end.cause ?? '')}`
}

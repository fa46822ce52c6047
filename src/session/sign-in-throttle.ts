import { isMorangoError } from '../core/errors.ts'
import { type Leave, createKeyedPlaces } from '../core/keyed-places.ts'
import { networkOf } from '../core/network.ts'
import { sha256Prefix } from '../core/sha256.ts'
import type { Credentials } from '../protocol/messages.ts'
import {
  type PauseRule,
  type Reservation,
  clearAttempts,
  countWithinHour,
  hasSucceeded,
  noteSuccess,
  pausedUntil,
  prolongPause,
  purgeAttempts,
  reserveAttempt,
  takeBackAttempt,
} from '../storage/sign-in-attempts.ts'
import { detailError } from './answers.ts'
import { type ServiceLimits, tooMany } from './quotas.ts'
import { databaseTime } from './service-context.ts'
import type { ServiceOptions } from './service-context.ts'
import { realSleep } from './timing.ts'

/** The longest user name and password, in UTF-8 bytes. */
const MAX_CREDENTIAL = 1024

const MINUTE_MS = 60_000
const QUARTER_MS = 15 * MINUTE_MS

/** Of one name from one address. */
const PAIR: PauseRule = { free: 5, longestMs: QUARTER_MS }
/** Of one name from wherever: who really has it must get in from elsewhere before long. */
const NAME: PauseRule = { free: 20, longestMs: MINUTE_MS }
/** Of one address with whatever names: a school may have one for all of its devices. */
const ADDRESS: PauseRule = { free: 30, longestMs: 5 * MINUTE_MS }
/** Where nobody's address is known. */
const UNKNOWN_PAIR: PauseRule = { free: 5, longestMs: MINUTE_MS }
const UNKNOWN_ADDRESS: PauseRule = { free: 300, longestMs: MINUTE_MS }

/** Sign-ins of one address that are looked at in one process at a time, and that may wait. Passwords are slow to check. */
const AT_ONCE = 4
const WAITING = 100
const PATIENCE_MS = 10_000

const PURGED_EVERY = 50

/** Slows down who guesses passwords. */
export interface SignInThrottle {
  /**
   * Makes a sign-in, unless too many have failed: then `admit`, which may take long, is not called. What fails with
   * `unauthenticated` or `forbidden` counts; an application may deny a wrong password in either way.
   *
   * @throws MorangoError `too-many-requests`, `unauthenticated`, and whatever `admit` does
   */
  signIn(address: string, credentials: Credentials | undefined, admit: () => Promise<void>): Promise<void>
}

/** A throttle whose counts are in the database, so that they hold over processes and restarts. */
export function createSignInThrottle(options: ServiceOptions, limits: ServiceLimits): SignInThrottle {
  const { db, sleep = realSleep } = options
  const ofPair = createKeyedPlaces({ places: () => 1, waiting: WAITING })
  const ofNetwork = createKeyedPlaces({
    places: (network) => (network === '' ? AT_ONCE * 10 : AT_ONCE),
    waiting: WAITING,
  })
  let attempts = 0

  return { signIn }

  async function signIn(
    address: string,
    credentials: Credentials | undefined,
    admit: () => Promise<void>,
  ): Promise<void> {
    if (credentials === undefined) return await admit()
    if (isTooLong(credentials.username) || isTooLong(credentials.password)) {
      throw detailError('unauthenticated', 'Invalid credentials.')
    }
    const network = networkOf(address)
    const name = accountOf(credentials.username)
    const leaves: Leave[] = []
    const patience = new AbortController()
    const end = sleep(PATIENCE_MS, patience.signal)
    try {
      for (const [places, key] of [
        [ofPair, `${name}\n${network}`],
        [ofNetwork, network],
      ] as const) {
        // oxlint-disable-next-line no-await-in-loop
        const leave = await places.enter(key, end)
        if (leave === undefined) throw tooMany('Too many sign-ins at once.', PATIENCE_MS / 1000)
        leaves.push(leave)
      }
      await attempt(name, network, admit)
    } finally {
      for (const leave of leaves.toReversed()) leave()
      patience.abort()
    }
  }

  async function attempt(name: string, network: string, admit: () => Promise<void>): Promise<void> {
    const begun = (await databaseTime(options)).getTime()
    if (attempts++ % PURGED_EVERY === 0) await purgeAttempts(db, begun)
    const keys = keysOf(name, network)
    const reserved = await reserve(keys, network, begun)
    try {
      await admit()
    } catch (error) {
      if (isMorangoError(error, 'unauthenticated') || isMorangoError(error, 'forbidden')) {
        const ms = (await databaseTime(options)).getTime() - begun
        for (const reservation of reserved) {
          // oxlint-disable-next-line no-await-in-loop
          await prolongPause(db, reservation, ms)
        }
      } else await takeBack(reserved)
      throw error
    }
    await takeBack(reserved.filter(({ key }) => key === keys.network))
    await clearAttempts(db, keys.pair)
    await clearAttempts(db, keys.name)
    await noteSuccess(db, keys.known, begun)
    if ((await countWithinHour(db, keys.signed, begun)) > limits.certificatesPerUser) {
      throw tooMany('This user has got many certificates within an hour.', 3600)
    }
  }

  /** Counts the attempt by all that it can be told by, or by none. */
  async function reserve(
    keys: ReturnType<typeof keysOf>,
    network: string,
    now: number,
  ): Promise<readonly Reservation[]> {
    const known = await hasSucceeded(db, keys.known, now)
    const rules: readonly (readonly [string, PauseRule])[] = [
      [keys.pair, network === '' ? UNKNOWN_PAIR : PAIR],
      // Whoever has signed in from here before is not kept out by what others try elsewhere.
      ...(known ? [] : [[keys.name, NAME] as const]),
      [keys.network, network === '' ? UNKNOWN_ADDRESS : ADDRESS],
    ]
    const reserved: Reservation[] = []
    for (const [key, rule] of rules) {
      // oxlint-disable-next-line no-await-in-loop
      const reservation = await reserveAttempt(db, key, rule, now)
      if (reservation === undefined) {
        // oxlint-disable-next-line no-await-in-loop
        await takeBack(reserved)
        // oxlint-disable-next-line no-await-in-loop
        const seconds = Math.max(1, Math.ceil(((await pausedUntil(db, key)) - now) / 1000))
        throw tooMany(`Too many sign-ins have failed. Try again in ${seconds} s.`, seconds)
      }
      reserved.push(reservation)
    }
    return reserved
  }

  async function takeBack(reserved: readonly Reservation[]): Promise<void> {
    for (const reservation of reserved) {
      // oxlint-disable-next-line no-await-in-loop
      await takeBackAttempt(db, reservation)
    }
  }
}

/** Digests: people type passwords where the name belongs. */
function keysOf(name: string, network: string) {
  const digest = (kind: string, text: string): string => sha256Prefix(`${kind}\n${text}`)
  return {
    pair: digest('pair', `${name}\n${network}`),
    name: digest('name', name),
    network: digest('network', network),
    known: digest('known', `${name}\n${network}`),
    signed: digest('signed', name),
  }
}

/**
 * Whom a user name means, however it is spelt. Of `key=value&key=value` (protocol §4) it is the field `username`: the others
 * could be varied at will.
 */
function accountOf(username: string): string {
  const named = username
    .split('&')
    .findLast((pair) => pair.startsWith('username='))
    ?.slice('username='.length)
  return (named ?? username).normalize('NFKC').trim().toLowerCase()
}

function isTooLong(text: string): boolean {
  return text.length > MAX_CREDENTIAL || new TextEncoder().encode(text).length > MAX_CREDENTIAL
}

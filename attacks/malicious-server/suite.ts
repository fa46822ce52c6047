import { afterAll, describe, it } from 'vitest'
import type { MakeTestDatabase } from '../../src/testing/index.ts'
import { type Kind, make } from './attempt.ts'
import { controls } from './kinds/controls.ts'
import { bodies } from './kinds/bodies.ts'
import { offers } from './kinds/certificates.ts'
import { claims, renewals } from './kinds/claims.ts'
import { deleting, histories } from './kinds/histories.ts'
import { pageKinds } from './kinds/pages.ts'
import { answers, passwords } from './kinds/signing.ts'
import { stages } from './kinds/stages.ts'
import { otherIds, sessions } from './kinds/sessions.ts'
import { records } from './kinds/records.ts'
import { createWorld, type World } from './world.ts'

const KINDS: readonly Kind[] = [
  controls,
  bodies,
  pageKinds,
  stages,
  offers,
  answers,
  passwords,
  sessions,
  otherIds,
  records,
  histories,
  deleting,
  claims,
  renewals,
]

/** Every which attempt is made, of the kinds in which little comes to the database and of the others; 0: none. */
export interface Share {
  readonly wire: number
  readonly others: number
}

/** Attempts of a malicious server, on clients with such a database. */
export function describeAttempts(database: string, makeDatabase: MakeTestDatabase, share: Share): void {
  describe(`a malicious server, and a client on ${database}`, () => {
    for (const kind of KINDS) {
      const every = kind.wire === true ? share.wire : share.others
      const attempts = kind.attempts.filter((_, at) => every > 0 && at % every === 0)
      if (attempts.length > 0) describeKind({ ...kind, attempts }, makeDatabase)
    }
  })
}

function describeKind({ kind, strangers = false, attempts }: Kind, makeDatabase: MakeTestDatabase): void {
  describe(`${kind}`, () => {
    // A world serves for the attempts of a kind, until one of them fails to hold.
    let world: World | undefined
    const discard = async (): Promise<void> => {
      const old = world
      world = undefined
      await old?.close()
    }
    it.each(attempts.map((attempt) => [attempt.name, attempt] as const))('%s', async (_name, attempt) => {
      world ??= await createWorld(makeDatabase)
      try {
        await make(attempt, world, strangers)
      } catch (error) {
        await discard()
        throw error
      }
    })
    afterAll(discard)
  })
}

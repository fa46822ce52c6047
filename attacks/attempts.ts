import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { isMorangoError, type ServeOptions } from '../src/index.ts'
import { type Attacker, type AttackerName, createAttacker } from './attacker.ts'
import { expectEqual, type Honest, startHonest } from './honest.ts'
import { differences, takeSnapshot } from './snapshot.ts'
import { type Answer, send } from './wire.ts'
import { type Area, CANARIES, DATABASES, startWorld, type World } from './world.ts'

/**
 * What an attempt comes to: it is refused, or taken and does no harm, or one of these statuses. `failed` is where the
 * original answers 500: a push that is closed before all has come, and what cannot be queued.
 */
export type Outcome = 'refused' | 'harmless' | 'failed' | readonly number[]

/** One attempt. What it gives back are the answers that the outcome is about: the last one counts. */
export interface Attempt {
  readonly name: string
  readonly as: AttackerName
  readonly run: (attacker: Attacker, world: World) => Promise<Answer | readonly Answer[]>
  readonly outcome: Outcome
  /** What else has to hold. */
  readonly and?: (world: World, attacker: Attacker) => Promise<void>
  /** A difference that is no harm, where there is one. */
  readonly allows?: (difference: string) => boolean
  /** Edits of the application before it, which are no part of the attack. */
  readonly before?: (world: World) => Promise<void>
}

/** Attempts by kind. */
export type Attempts = Readonly<Record<string, readonly Attempt[]>>

/**
 * Makes each attempt against a server on each database. After each, nothing outside the attacker's scope is different, no
 * answer has anything in it that the attacker may not read, none was an error of the server's, and the server answers. Between
 * the kinds honest peers sync on, and in the end all are equal.
 */
export function describeAttempts(
  what: string,
  kinds: Attempts,
  options: Pick<ServeOptions, 'limits'> = {},
): void {
  describe.each(DATABASES)(`${what}, on %s`, (database) => {
    let world: World
    let honest: Honest
    const attackers = new Map<AttackerName, Attacker>()
    const hasServer = database === 'SQLite' || inject('postgresUrl') !== ''

    beforeAll(async () => {
      if (!hasServer) return
      world = await startWorld(database, options)
      honest = await startHonest(world)
    })
    afterAll(async () => {
      await honest?.close()
      await world?.close()
    })
    beforeEach((context) => {
      if (!hasServer) context.skip('There is no PostgreSQL server.')
    })

    async function attackerOf(name: AttackerName): Promise<Attacker> {
      const known = attackers.get(name)
      if (known !== undefined) return known
      const made = await createAttacker(world, name)
      attackers.set(name, made)
      return made
    }

    describe.each(Object.entries(kinds))('%s', (_kind, attempts) => {
      it.each(attempts)('$as: $name', async ({ as, run, outcome, and, before, allows = () => false }) => {
        await before?.(world)
        const attacker = await attackerOf(as)
        // What an attempt that failed has left.
        await attacker.leave()
        if (as !== 'nobody') await attacker.session()
        attacker.answers.length = 0
        world.failures.length = 0
        const was = await takeSnapshot(world.kysely)
        const result = await run(attacker, world)
        const answers = [...attacker.answers]
        const last: Answer | undefined = 'call' in result ? result : result.at(-1)
        const isServerError = ({ status }: Answer): boolean => status < 200 || status >= 500
        expect(answers.filter((answer) => isServerError(answer) && outcome !== 'failed')).toEqual([])
        expect(
          world.failures.filter((error) => outcome !== 'failed' || !isAnswerOfTheOriginal(error)),
        ).toEqual([])
        expect(leaks(answers, attacker.reads)).toEqual([])
        const changed = differences(was, await takeSnapshot(world.kysely), attacker.ground)
        expect(changed.filter((difference) => !allows(difference))).toEqual([])
        expect((await send(world.url, { path: 'morangoinfo/1/' })).status).toBe(200)
        expectOutcome(last, outcome, answers)
        await and?.(world, attacker)
        await attacker.leave()
      })

      it('honest peers sync on after that', async () => {
        await honest.syncOn()
      })
    })

    it('in the end all honest peers and the server are equal', async () => {
      for (const [name, attacker] of attackers) {
        const [filter] = attacker.ground.write
        if (filter === undefined) continue
        // A version that its author never claims to be complete goes nowhere.
        const record = { model_name: 'last', partition: filter }
        const pushed = await attacker.push({ filter, records: [record], fsic: attacker.claims(1) })
        expect({ name, statuses: pushed.map(({ status }) => status) }).toEqual({
          name,
          statuses: [201, 200, 201, 204],
        })
      }
      await expectEqual(honest)
    })
  })
}

function leaks(answers: readonly Answer[], reads: readonly Area[]): string[] {
  const secret = Object.entries(CANARIES).filter(([area]) => !reads.some((own) => own === area))
  return answers.flatMap(({ call, text }) =>
    secret.flatMap(([area, canary]) => (text.includes(canary) ? [`${call} gave ${area}`] : [])),
  )
}

function isAnswerOfTheOriginal(error: unknown): boolean {
  return isMorangoError(error, 'stage-failed') || isMorangoError(error, 'transfer-errored')
}

function expectOutcome(last: Answer | undefined, outcome: Outcome, answers: readonly Answer[]): void {
  const seen = { call: last?.call, status: last?.status, text: last?.text.slice(0, 300) }
  const fits =
    outcome === 'refused'
      ? seen.status !== undefined && seen.status >= 400 && seen.status < 500
      : outcome === 'harmless'
        ? seen.status !== undefined && seen.status >= 200 && seen.status < 300
        : outcome === 'failed'
          ? answers.some(({ status }) => status === 500)
          : seen.status !== undefined && outcome.includes(seen.status)
  expect(fits, `${JSON.stringify(outcome)} was expected, not ${JSON.stringify(seen)}`).toBe(true)
}

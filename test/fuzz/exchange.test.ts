import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MorangoError } from '../../src/core/errors.ts'
import { FUZZ_TIMEOUT, fuzz } from './runs.ts'
import { change, changedRequest, changedResponse } from './traffic.ts'
import type { Change } from './traffic.ts'
import { createWorld } from './world.ts'
import type { Carry, Surveyor, World } from './world.ts'

const changes = fc.array(change, { minLength: 3, maxLength: 10, size: 'max' })

let world: World
let ana: Surveyor
let ben: Surveyor
let added = 0

beforeAll(async () => {
  world = await createWorld()
  ana = await world.surveyor('ana')
  ben = await world.surveyor('ben')
})

afterAll(async () => {
  await world.close()
})

/** What the original client would send, after changed copies of it. */
function withCopies(how: readonly Change[], onAnswer: (told: string) => void): Carry {
  let count = 0
  return async (request) => {
    const nth = count++
    for (const one of how.filter((each) => each.nth === nth)) {
      const copy = await changedRequest(request, one)
      const told = `${copy.method} ${copy.url}`
      const { status } = await world.carry(copy)
      if (status >= 500) onAnswer(`${status} for ${told}: ${world.failures.map(stackOf).join('\n')}`)
    }
    return await world.carry(request)
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? `${error.stack} ${String(error.cause)}` : String(error)
}

/** Another client is not hindered, and its records are where they belong. */
async function expectBenServed(): Promise<void> {
  const before = await world.placesOf('ben')
  const name = `ben's ${added++}`
  await ben.add(name)
  await ben.sync()
  expect(await world.placesOf('ben')).toEqual([...before, name].toSorted())
}

async function settled(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof MorangoError)) throw error
  }
}

describe('a client that changes what it says in the middle of a sync', { timeout: FUZZ_TIMEOUT }, () => {
  it('brings nothing down, and hinders nobody', async () => {
    await fuzz(25, changes, async (how) => {
      world.failures.length = 0
      const failed: string[] = []
      await ana.add(`ana's ${added++}`)
      await settled(ana.sync(withCopies(how, (told) => failed.push(told))))
      expect([failed, world.failures.map(stackOf)]).toEqual([[], []])
      await expectBenServed()
    })
  })
})

describe('a server that changes what it answers in the middle of a sync', { timeout: FUZZ_TIMEOUT }, () => {
  it('makes it fail by an error of ours, if at all', async () => {
    await fuzz(25, changes, async (how) => {
      let count = 0
      await ana.add(`ana's ${added++}`)
      await settled(
        ana.sync(async (request) => {
          const nth = count++
          const response = await world.carry(request)
          const one = how.find((each) => each.nth === nth)
          return one === undefined ? response : await changedResponse(response, one)
        }),
      )
      await expectBenServed()
    })
  })
})

import { describe, expect, it } from 'vitest'
import { createKeyedPlaces } from '../../src/core/keyed-places.ts'
import { networkOf } from '../../src/core/network.ts'
import { allowance, branchOf, exceeded, limitsOf } from '../../src/session/quotas.ts'
import { createStagePlaces } from '../../src/session/stage-places.ts'

describe('the network of an address', () => {
  it.each([
    ['10.0.0.5', '10.0.0.5'],
    ['::ffff:10.0.0.5', '10.0.0.5'],
    ['0:0:0:0:0:ffff:10.0.0.5', '10.0.0.5'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, network) => expect(networkOf(address)).toBe(network))

  it('is short, whatever stands for an address', () => {
    expect(networkOf('x'.repeat(100_000)).length).toBeLessThanOrEqual(64)
    expect(networkOf(':'.repeat(100_000)).length).toBeLessThanOrEqual(64)
  })
})

describe('quotas', () => {
  it('are by certificate, then branch, then network, then in all', () => {
    const quota = { perCertificate: 1, perBranch: 2, perAddress: 3, inAll: 40 }
    const usage = { certificate: 0, branch: 0, network: 0, all: 0 }
    expect(exceeded(usage, 1, quota, 'n')).toBeUndefined()
    expect(exceeded({ certificate: 1, branch: 9, network: 9, all: 99 }, 1, quota, 'n')).toBe('certificate')
    expect(exceeded({ ...usage, branch: 2 }, 1, quota, 'n')).toBe('branch')
    expect(exceeded({ ...usage, network: 3 }, 1, quota, 'n')).toBe('network')
    expect(exceeded({ ...usage, network: 29 }, 1, quota, '')).toBeUndefined()
    expect(exceeded({ ...usage, all: 40 }, 1, quota, 'n')).toBe('all')
    expect(allowance(quota, '')).toBe(30)
  })

  it('who signs certificates below an own one stays in one branch', () => {
    expect(branchOf(['root', 'a'], ['root'])).toBe('a')
    expect(branchOf(['root', 'a', 'b', 'c'], ['root'])).toBe('a')
    expect(branchOf(['root', 'school', 'tablet'], ['root', 'school'])).toBe('tablet')
    expect(branchOf(['root'], ['root', 'school'])).toBe('root')
  })

  it('that are named replace single defaults', () => {
    const limits = limitsOf({ queueMs: 1, syncSessions: { perCertificate: 2 } })
    expect(limits).toMatchObject({ queueMs: 1, syncSessions: { perCertificate: 2, perBranch: 256 } })
  })
})

describe('places', () => {
  it('are given in order, and the queue ends somewhere', async () => {
    const places = createKeyedPlaces({ places: () => 1, waiting: 2 })
    const order: string[] = []
    const first = await places.enter('a')
    const waiting = ['second', 'third'].map(async (name) => {
      const leave = await places.enter('a')
      order.push(name)
      leave?.()
    })
    expect(await places.enter('a')).toBeUndefined()
    expect(await places.enter('b')).toBeDefined()
    first?.()
    first?.()
    await Promise.all(waiting)
    expect([order, places.waiting]).toEqual([['second', 'third'], 0])
    expect(await places.enter('a')).toBeDefined()
  })

  it('whoever loses patience leaves the queue', async () => {
    const places = createKeyedPlaces({ places: () => 1, waiting: 5 })
    const first = await places.enter('a')
    const impatient = Promise.withResolvers<void>()
    const given = places.enter('a', impatient.promise)
    const patient = places.enter('a')
    impatient.resolve()
    expect(await given).toBeUndefined()
    first?.()
    expect(await patient).toBeDefined()
  })

  it('one certificate has two stages under way, and no other waits for it', async () => {
    const places = createStagePlaces(limitsOf())
    const owner = (certificate: string) => ({ certificate, branch: certificate, network: 'n' })
    const end = Promise.withResolvers<void>()
    let running = 0
    const work = async (): Promise<void> => {
      running++
      await end.promise
      running--
    }
    const hostile = Array.from({ length: 50 }, () => places.inTurn(owner('hostile'), work))
    await places.inTurn(owner('honest'), () => Promise.resolve())
    expect(running).toBe(2)
    // Nor do many certificates below one have more.
    const below = Array.from({ length: 50 }, (_, index) =>
      places.inTurn({ certificate: `child ${index}`, branch: 'parent', network: 'm' }, work),
    )
    await places.inTurn({ ...owner('another'), network: 'm' }, () => Promise.resolve())
    expect(running).toBe(6)
    end.resolve()
    await Promise.all([...hostile, ...below])
    expect(running).toBe(0)
  })
})

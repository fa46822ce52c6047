import { expect, it } from 'vitest'
import { createMemoryPeer, lostInTransit } from '../../src/transport/memory.ts'
import { ID, createFakeService, failureOf, record } from './fake-service.ts'

it('lets tests lose requests, lose answers, and repeat calls', async () => {
  const service = createFakeService()
  const seen: unknown[] = []
  const peer = createMemoryPeer(service, {
    name: 'memory:b',
    intercept: async (call, next) => {
      seen.push([call.method, call.args])
      if (call.method === 'info') throw lostInTransit()
      const reply = await next()
      if (call.method === 'createNonce') throw lostInTransit()
      return call.method === 'sendBuffers' ? await next() : reply
    },
  })
  expect(peer.url).toBe('memory:b')
  expect(await failureOf(peer.info())).toMatchObject({ code: 'network' })
  expect(service.calls).toHaveLength(0)
  expect(await failureOf(peer.createNonce())).toMatchObject({ code: 'network' })
  expect(service.calls).toHaveLength(1)
  await peer.sendBuffers([record(1)])
  expect(service.calls.slice(1).map(({ name }) => name)).toEqual(['receiveBuffers', 'receiveBuffers'])
  await peer.transferSession(ID)
  expect(seen).toEqual([
    ['info', []],
    ['createNonce', []],
    ['sendBuffers', [[record(1)]]],
    ['transferSession', [ID]],
  ])
})

it('shares no object between the sides', async () => {
  const service = createFakeService()
  const peer = createMemoryPeer(service)
  const sent = record(1)
  await peer.sendBuffers([sent])
  expect(service.calls[0]?.args[0]).toEqual([sent])
  expect(Reflect.get(Object(service.calls[0]?.args[0]), 0)).not.toBe(sent)
  service.outgoing = [sent]
  const page = await peer.fetchBuffers({ transferSessionId: ID, offset: 0, limit: 1 })
  expect(page.records[0]).toEqual(sent)
  expect(page.records[0]).not.toBe(sent)
  expect(peer.traffic.sent).toBeGreaterThan(300)
  expect(peer.traffic.received).toBeGreaterThan(300)
})

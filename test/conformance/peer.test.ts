import { describe, test } from 'vitest'
import { createMemoryPeer } from '../../src/transport/memory.ts'
import { createHttpPeer } from '../../src/transport/http/client.ts'
import { createRoutes } from '../../src/transport/http/server.ts'
import { describePeer } from '../../src/testing/index.ts'
import { makeTestDatabase } from '../databases/index.ts'

const ignore = (): void => undefined

describePeer(
  'a peer in memory',
  (service, { capabilities }) => ({ peer: createMemoryPeer(service, { capabilities, onError: ignore }) }),
  { describe, test },
  { database: makeTestDatabase },
)

describePeer(
  'a peer over HTTP',
  (service, { capabilities }) => {
    const app = createRoutes(service, { onError: ignore })
    const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> =>
      await app.fetch(new Request(input, init))
    return { peer: createHttpPeer('http://peer.test', { capabilities: [...capabilities], fetch }) }
  },
  { describe, test },
  { database: makeTestDatabase },
)

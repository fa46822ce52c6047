import { createMemoryPeer } from '../../src/transport/memory.ts'
import { FILTER, root, type World } from './world.ts'

/** What stands at both sides when an attempt begins. */
export interface Scene {
  readonly world: World
  /** Tells this attempt's texts from those of others. */
  readonly mark: string
  /** A book that both have changed since they were equal. */
  readonly both: string
  /** A book that the client alone has changed. */
  readonly mine: string
  /** A book that the client has made, and nobody has seen. */
  readonly made: string
  /** Books that the server has made, and the client lacks. */
  readonly fresh: readonly [string, ...string[]]
  /** Of u2: out of the server's reach. */
  readonly secret: string
  /** A server that must never be called. */
  readonly elsewhere: string
}

let serial = 0

/** What an attempt adds to the scene while all are equal. */
export type Prepare = (world: World) => Promise<void>

/** Makes all equal, and then has both sides write. */
export async function stage(
  world: World,
  elsewhere: string,
  { prepare, isStranger }: { readonly prepare: Prepare | undefined; readonly isStranger: boolean },
): Promise<Scene> {
  const { client, server } = world
  const mark = `#${++serial}`
  const book = async (peer: typeof client, owner: string, title: string): Promise<string> =>
    (await peer.insert('book', { root: root.certificate.id, owner, title: `${title} ${mark}` })).id
  const both = await book(client, 'u1', 'agreed')
  const mine = await book(client, 'u1', 'agreed')
  await prepare?.(world)
  await client.morango.sync(await world.honestPeer(), { filter: root.certificate.id })
  await server.morango.sync(
    createMemoryPeer(client.service, { capabilities: server.morango.capabilities, name: 'memory:client/' }),
    { filter: FILTER },
  )
  if (isStranger) {
    const { id } = await world.serverCertificate()
    await client.database.kysely.deleteFrom('morango_certificate').where('id', '=', id).execute()
  }
  const fresh: [string, ...string[]] = [await book(server, 'u1', 'from the server')]
  for (let more = 0; more < 3; more++) fresh.push(await book(server, 'u1', 'from the server'))
  await server.update('book', both, { title: `by the server ${mark}` })
  const secret = await book(client, 'u2', 'classified')
  await client.morango.serialize()
  await client.update('book', both, { title: `unsynced ${mark}` })
  await client.update('book', mine, { title: `unsynced ${mark}` })
  const made = await book(client, 'u1', 'unsynced')
  return { world, mark, both, mine, made, fresh, secret, elsewhere }
}

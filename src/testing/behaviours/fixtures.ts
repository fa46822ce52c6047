import { type AnyRow, model } from '../../models/model.ts'
import { defineProfile } from '../../models/profile.ts'
import type { Profile } from '../../models/profile.ts'
import { scope } from '../../models/scope.ts'
import { holds, type MakeNetwork } from '../behaviour.ts'
import { library, librarySchema } from '../library.ts'
import type { TestNetwork, TestNetworkOptions } from '../network.ts'
import type { TestPeer } from '../peer.ts'
import type { TestRecord } from '../records.ts'

/** The library, with what makes trouble: a unique column, and rows that refer to others without a cascade. */
export const suite: Profile = defineProfile({
  name: 'suite',
  models: {
    ...library.models,
    account: model({
      table: 'account',
      partition: '${root}:${owner}',
      validate: (row: AnyRow) => (row['email'] === 'nobody' ? 'Nobody has no account.' : undefined),
    }),
    topic: model({ table: 'topic', partition: '${root}:${owner}' }),
  },
  scopes: {
    all: scope({ root: 'root', readWrite: '${root}' }),
    owner: scope({ readWrite: '${root}:${owner}' }),
    reader: scope({ read: '${root}:${owner}' }),
  },
})

const ACCOUNT = `create table account (id text primary key not null, root text not null, owner text not null,
  email text not null unique, age integer not null default 7)`
const TOPIC = `create table topic (id text primary key not null, root text not null, owner text not null,
  name text not null, parent_id text references topic(id))`

export const suiteSchema: readonly string[] = [...librarySchema, ACCOUNT, TOPIC]

/** The same application a release later: accounts have a name, and there are tags. */
export const laterSuite: Profile = defineProfile({
  ...suite,
  name: 'suite',
  models: { ...suite.models, tag: model({ table: 'tag', partition: '${root}:${owner}' }) },
  scopes: {
    all: scope({ root: 'root', readWrite: '${root}' }),
    owner: scope({ readWrite: '${root}:${owner}' }),
    reader: scope({ read: '${root}:${owner}' }),
  },
})

export const laterSchema: readonly string[] = [
  ...librarySchema,
  `create table account (id text primary key not null, root text not null, owner text not null,
    email text not null unique, age integer not null default 7, name text not null default 'unnamed')`,
  TOPIC,
  `create table tag (id text primary key not null, root text not null, owner text not null, word text)`,
]

/** Peers of the suite's application. */
export async function suiteNetwork(
  make: MakeNetwork,
  options: TestNetworkOptions = {},
): Promise<TestNetwork> {
  return await make({ peers: 3, profile: suite, schema: suiteSchema, ...options })
}

/** Writes rows of the model at a peer; `owner` is u1 unless given. */
export async function add(
  network: TestNetwork,
  peer: string,
  model: string,
  values: object = {},
): Promise<string> {
  const row = await network.peer(peer).insert(model, { root: network.root, owner: 'u1', ...values })
  return row.id
}

/** A peer's record of that id. */
export async function recordOf(peer: TestPeer, id: string): Promise<TestRecord> {
  const record = (await peer.records()).find((one) => one.id === id)
  holds(record !== undefined, `${peer.name} has a record ${id}`)
  return record
}

/** The reasons that records and rows of a peer wait with. */
export async function problemCodes(peer: TestPeer): Promise<string[]> {
  return (await peer.morango.problems()).map(({ code }) => code).toSorted()
}

/** Ten books at a, and a transfer of them to b that stopped after its first chunk of three. */
export async function halfway(make: MakeNetwork): Promise<{ network: TestNetwork; ids: readonly string[] }> {
  const network = await suiteNetwork(make, { peers: ['a', 'b'], chunkSize: 3 })
  for (let book = 0; book < 10; book++) await add(network, 'a', 'book', { title: `secret ${book}` })
  const faults = [{ kind: 'kill', side: 'client', stage: 'transferring', statements: 5 }] as const
  await network.sync('a', 'b', { direction: 'push', faults }).catch(() => undefined)
  const ids = (await network.peer('a').records()).map(({ id }) => id)
  const incoming = await network
    .peer('b')
    .database.kysely.selectFrom('morango_incoming')
    .selectAll()
    .execute()
  holds(incoming.length > 0 && incoming.length < 10, `it stopped half way, at ${incoming.length}`)
  return { network, ids }
}

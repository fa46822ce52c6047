import { gazetteer } from '../../demo/gazetteer.ts'
import { createMorango } from '../../src/index.ts'
import { createMemoryPeer } from '../../src/transport/memory.ts'
import { addLibraryColumns, buildTables, createTables, TABLES } from '../data.ts'
import { databaseOf, openDatabase, type Place } from '../databases/kinds.ts'
import { answerCalls } from './calls.ts'

/** What is to be made ready. */
export interface Preparation {
  readonly server: Place
  readonly client: Place
  /** Which of the two gets the records. */
  readonly producer: 'server' | 'client'
  readonly records: number | undefined
  /** Gets the tables alone, for the plain copy. */
  readonly plainTarget: Place
}

/** Makes databases ready, so that what is measured is not in the processes that sync. */
export interface PrepareApi {
  /** Tables, certificates, and the records as an application would have written them: not yet serialized. */
  prepare(options: Preparation): Promise<{ records: number; filter: string }>
}

answerCalls<PrepareApi>({
  prepare: async ({ server, client, producer, records: limit, plainTarget }) => {
    const serverDatabase = openDatabase(server)
    const clientDatabase = openDatabase(client)
    const plainDatabase = openDatabase(plainTarget)
    await createTables(serverDatabase.kysely)
    await createTables(clientDatabase.kysely)
    await createTables(plainDatabase.kysely)
    await addLibraryColumns(plainDatabase.kysely)
    await plainDatabase.close()

    const profiles = [gazetteer] as const
    const serving = await createMorango({ database: serverDatabase, profiles, migrate: true })
    const syncing = await createMorango({ database: clientDatabase, profiles, migrate: true })
    const { id: dataset } = await serving.certificates.createRoot('full-gazetteer')
    const peer = createMemoryPeer(serving.service({ authorize: () => true }), {
      capabilities: syncing.capabilities,
    })
    await syncing.certificates.request(peer, {
      scopeDefinition: 'whole-dataset',
      scopeParams: { dataset_id: dataset },
      primaryPartition: dataset,
      credentials: { username: 'bench', password: 'bench' },
    })
    const tables = await buildTables(serving, dataset, limit)
    await serving.close()
    await syncing.close()

    const { kind, at } = producer === 'server' ? server : client
    const plain = await databaseOf(kind).openPlain(at)
    await plain.insertAll(tables)
    await plain.close()
    const records = TABLES.reduce((total, table) => total + (tables[table]?.length ?? 0), 0)
    return { records, filter: dataset }
  },
})

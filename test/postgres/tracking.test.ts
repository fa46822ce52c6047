import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { postgres } from '../../src/postgres.ts'
import { foldChangeLog } from '../../src/storage/pending.ts'
import type { Schema } from '../../src/storage/schema.ts'
import { untracked } from '../../src/storage/tracking.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { createTestNetwork, type TestNetwork } from '../../src/testing/index.ts'
import { DATABASE, makeTestDatabase } from '../databases/index.ts'

async function logged(db: Kysely<Schema>): Promise<string[]> {
  const rows = await db.selectFrom('morango_change_log').select('record_id').orderBy('seq').execute()
  return rows.map((row) => row.record_id)
}

async function networkOfOne(): Promise<TestNetwork> {
  return await createTestNetwork({ peers: 1, database: makeTestDatabase })
}

function addBook(db: Kysely<Schema>, id: string): Promise<unknown> {
  return sql`insert into book (id, root, owner) values (${id}, 'r', 'o')`.execute(db)
}

test('tracking is off for the work alone, and back after a failure', async () => {
  const network = await networkOfOne()
  const { kysely, dialect } = network.peer('a').database
  await inTransaction(kysely, dialect, async (trx) => {
    await untracked(trx, dialect, () => addBook(trx, 'engine'))
    await addBook(trx, 'application')
  })
  await expect(
    inTransaction(kysely, dialect, (trx) =>
      untracked(trx, dialect, async () => {
        await addBook(trx, 'never')
        throw new Error('on purpose')
      }),
    ),
  ).rejects.toThrow('on purpose')
  await addBook(kysely, 'later')
  expect(await logged(kysely)).toEqual(['application', 'later'])
  await network.close()
})

test('a table in another schema of the search path does not lead the log astray', async () => {
  const network = await networkOfOne()
  const { kysely } = network.peer('a').database
  await kysely.transaction().execute(async (trx) => {
    await sql`create temporary table morango_change_log (seq serial, model_name text, record_id text, hard integer)
      on commit drop`.execute(trx)
    await addBook(trx, 'one')
  })
  expect(await logged(kysely)).toEqual(['one'])
  await network.close()
})

// Two connections are needed.
describe.skipIf(DATABASE !== 'postgres' || inject('postgresUrl') === '')('transactions side by side', () => {
  async function withTwo(
    work: (a: Kysely<Schema>, b: Kysely<Schema>, network: TestNetwork) => Promise<void>,
  ) {
    const network = await networkOfOne()
    const { kysely } = network.peer('a').database
    const { rows } = await sql<{ database: string; schema: string }>`
      select current_database() as database, current_schema() as schema`.execute(kysely)
    const url = new URL(inject('postgresUrl'))
    url.pathname = `/${rows[0]?.database}`
    url.searchParams.set('options', `-c search_path=${rows[0]?.schema}`)
    const other = postgres(url.href)
    try {
      await work(kysely, other.kysely, network)
    } finally {
      await other.close()
      await network.close()
    }
  }

  test('what one does not track, the other does, and neither waits', async () => {
    await withTwo(async (a, b, network) => {
      const { dialect } = network.peer('a').database
      await inTransaction(a, dialect, async (trx) => {
        await untracked(trx, dialect, async () => {
          await addBook(trx, 'engine')
          await addBook(b, 'application')
        })
      })
      expect(await logged(a)).toEqual(['application'])
    })
  })

  test('a change with a lower number that is committed later is not lost', async () => {
    await withTwo(async (a, b, network) => {
      const { dialect } = network.peer('a').database
      const held = Promise.withResolvers<void>()
      const written = Promise.withResolvers<void>()
      const early = b.transaction().execute(async (trx) => {
        await addBook(trx, 'early')
        written.resolve()
        await held.promise
      })
      await written.promise
      await addBook(a, 'late')
      for (const isolationLevel of ['repeatable read', 'read committed'] as const) {
        await a
          .transaction()
          .setIsolationLevel(isolationLevel)
          .execute(async (trx) => {
            await sql`select 1 from morango_change_log`.execute(trx)
            if (isolationLevel === 'read committed') {
              held.resolve()
              await early
            }
            await foldChangeLog(trx, dialect)
          })
        const pending = await a.selectFrom('morango_pending').select('record_id').execute()
        const all = [...pending.map((row) => row.record_id), ...(await logged(a))]
        expect(all.toSorted()).toEqual(isolationLevel === 'repeatable read' ? ['late'] : ['early', 'late'])
      }
    })
  })

  test('a serialization failure is tried again', async () => {
    await withTwo(async (a, b, network) => {
      const { dialect } = network.peer('a').database
      await addBook(a, 'one')
      let tries = 0
      await inTransaction(a, dialect, async (trx) => {
        tries++
        await sql`select * from book`.execute(trx)
        if (tries === 1) await sql`update book set title = 'theirs'`.execute(b)
        await sql`update book set title = 'ours'`.execute(trx)
      })
      expect(tries).toBe(2)
      const titles = await sql<{ title: string }>`select title from book`.execute(b)
      expect(titles.rows).toEqual([{ title: 'ours' }])
    })
  })

  test('parsers that the application sets for the process change nothing', async () => {
    const INT8 = 20
    const before = pg.types.getTypeParser(INT8, 'text')
    pg.types.setTypeParser(INT8, () => 'not a number')
    try {
      await withTwo(async (a) => {
        await addBook(a, 'one')
        const found = await sql<{ count: number }>`select count(*) as count from book`.execute(a)
        expect(found.rows).toEqual([{ count: 1 }])
      })
    } finally {
      pg.types.setTypeParser(INT8, before)
    }
  })
})

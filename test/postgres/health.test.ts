import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { makeTestDatabase } from '../databases/index.ts'

test('foreign keys that were never checked, and triggers that do not fire', async () => {
  const store = await makeTestDatabase()
  const database = await store.open()
  const { kysely, dialect } = database
  const codes = async (): Promise<string[]> =>
    (await dialect.health(kysely, ['shelf', 'book']))
      .map(({ code }) => code)
      .filter((code) => code !== 'connections-few')
  try {
    await sql`create table shelf (id text primary key)`.execute(kysely)
    await sql`create table book (id text primary key, shelf_id text)`.execute(kysely)
    await sql`insert into book values ('a', 'gone')`.execute(kysely)
    expect(await codes()).toEqual([])
    await sql`alter table book add constraint on_shelf foreign key (shelf_id) references shelf (id) not valid`.execute(
      kysely,
    )
    expect(await codes()).toEqual(['foreign-key-unchecked'])
    await kysely.transaction().execute(async (trx) => {
      await sql`set local session_replication_role = replica`.execute(trx)
      const findings = await dialect.health(trx, ['shelf'])
      expect(findings.map(({ code }) => code).filter((code) => code !== 'connections-few')).toEqual([
        'triggers-off',
      ])
      await sql`set local default_transaction_read_only = on`.execute(trx)
      expect((await dialect.health(trx, [])).map(({ code }) => code)).toContain('database-read-only')
    })
  } finally {
    await database.close()
    await store.destroy()
  }
})

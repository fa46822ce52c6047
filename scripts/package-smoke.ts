// Runs inside an empty project that has installed the packed package and PGlite: SQLite syncs with PostgreSQL, both
// ways.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { PGlite } from '@electric-sql/pglite'
import { createMorango, defineProfile, model, scope } from 'morango'
import { listen } from 'morango/node'
import { postgres } from 'morango/postgres'
import { sqlite } from 'morango/sqlite'

const profile = defineProfile({
  name: 'smoke',
  models: { note: model({ table: 'note', partition: '${dataset}:note' }) },
  scopes: {
    full: scope({ root: 'dataset', readWrite: '${dataset}' }),
    member: scope({ readWrite: '${dataset}' }),
  },
})

const TABLE = 'create table note (id text primary key not null, dataset text not null, body text not null)'
const profiles = [profile] as const
const file = 'a.db'
const app = new DatabaseSync(file)
app.exec(TABLE)
const a = await createMorango({ database: sqlite(file), profiles, migrate: true })

const pglite = await PGlite.create()
await pglite.exec(TABLE)
const b = await createMorango({ database: postgres(pglite), profiles, migrate: true })

const root = await a.certificates.createRoot('full')
const note = a.record('note', { dataset: root.id, body: 'packed' })
app
  .prepare(
    'insert into note (id, dataset, body, morango_source_id) values (:id, :dataset, :body, :morango_source_id)',
  )
  .run(note as never)
const server = await listen(a, {
  port: 0,
  authorize: ({ username, password }, { scopeDefinition, isWithin }) => {
    if (username !== 'b' || password !== 'secret') return 'unauthenticated'
    return scopeDefinition === 'member' && isWithin(root.id)
  },
})
await b.certificates.request(server.url, {
  primaryPartition: root.id,
  scopeDefinition: 'member',
  scopeParams: { dataset: root.id },
  credentials: { username: 'b', password: 'secret' },
})
const first = await b.sync(server.url, { filter: root.id })
assert.equal(first.pulled, 1)
const { rows } = await pglite.query('select body from note')
assert.deepEqual(rows, [{ body: 'packed' }])
await pglite.exec("update note set body = 'unpacked'")
const second = await b.sync(server.url, { filter: root.id })
assert.equal(second.pushed, 1)
assert.equal(app.prepare('select body from note').get()?.['body'], 'unpacked')

await server.close()
await a.close()
await b.close()
await pglite.close()
app.close()
rmSync(file)
console.log('The packed package syncs SQLite with PostgreSQL.')

// Runs inside an empty project that has installed the packed package: two databases, one sync.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { createMorango, defineProfile, model, scope } from 'morango'
import { listen } from 'morango/node'
import { sqlite } from 'morango/sqlite'

const profile = defineProfile({
  name: 'smoke',
  models: { note: model({ table: 'note', partition: '${dataset}:note' }) },
  scopes: {
    full: scope({ root: 'dataset', readWrite: '${dataset}' }),
    member: scope({ readWrite: '${dataset}' }),
  },
})

async function open(file: string) {
  const app = new DatabaseSync(file)
  app.exec('create table note (id text primary key not null, dataset text not null, body text not null)')
  return { app, morango: await createMorango({ database: sqlite(file), profiles: [profile], migrate: true }) }
}

const a = await open('a.db')
const b = await open('b.db')
const root = await a.morango.certificates.createRoot('full')
const note = a.morango.record('note', { dataset: root.id, body: 'packed' })
a.app
  .prepare(
    'insert into note (id, dataset, body, morango_source_id) values (:id, :dataset, :body, :morango_source_id)',
  )
  .run(note as never)
const server = await listen(a.morango, { port: 0, authorize: ({ password }) => password === 'secret' })
await b.morango.certificates.request(server.url, {
  primaryPartition: root.id,
  scopeDefinition: 'member',
  scopeParams: { dataset: root.id },
  credentials: { username: 'b', password: 'secret' },
})
const report = await b.morango.sync(server.url, { filter: root.id })
assert.equal(report.pulled, 1)
assert.equal(b.app.prepare('select body from note').get()?.['body'], 'packed')
await server.close()
await a.morango.close()
await b.morango.close()
a.app.close()
b.app.close()
for (const file of ['a.db', 'b.db']) rmSync(file)
console.log('The packed package syncs.')

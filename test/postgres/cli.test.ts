import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { json, run } from '../cli/support.ts'
import { DATABASE } from '../databases/index.ts'

const SOURCE = new URL('../../src/', import.meta.url).href

const configOn = (url: string): string => `
import { defineConfig } from '${SOURCE}config.ts'
import { defineProfile, model, scope } from '${SOURCE}index.ts'
import { postgres } from '${SOURCE}postgres.ts'

export default defineConfig({
  database: () => postgres('${url}'),
  profiles: [
    defineProfile({
      name: 'gazetteer',
      models: { place: model({ table: 'place', id: 'source-id', partition: '\${country_id}:place' }) },
      scopes: { 'full-country': scope({ root: 'country_id', readWrite: '\${country_id}' }) },
    }),
  ],
})
`

// A process of its own reaches no PGlite instance of ours.
describe.skipIf(DATABASE !== 'postgres')('the command on a server', () => {
  test('migrates, tells the status, and ends with its connections closed', async () => {
    const { makeOnServer } = await import('../databases/server.ts')
    const store = await makeOnServer()
    const directory = mkdtempSync(join(tmpdir(), 'morango-pg-'))
    const client = new pg.Client({ connectionString: store.url })
    await client.connect()
    try {
      writeFileSync(join(directory, 'morango.config.ts'), configOn(store.url))
      await client.query('create table place (id uuid primary key, country_id text not null, name text)')
      const early = await run(directory, ['status'])
      expect(early.code).toBe(1)
      expect(early.stderr).toContain('morango migrate')

      const elsewhere = new URL(store.url)
      elsewhere.pathname = '/morango_nowhere'
      writeFileSync(join(directory, 'elsewhere.config.ts'), configOn(elsewhere.href))
      const missing = await run(directory, ['status', '-c', 'elsewhere.config.ts'])
      expect(missing.code).toBe(1)
      expect(missing.stderr).toContain('error: database "morango_nowhere" does not exist.')
      expect(missing.stderr).not.toContain('migrate')

      await client.query(
        `insert into place values ('${'1'.repeat(8)}-1111-1111-1111-${'1'.repeat(12)}', 'x', 'Apia')`,
      )
      const migrated = await run(directory, ['migrate'])
      expect(migrated).toMatchObject({ code: 0, stderr: '' })
      expect(migrated.stdout).toMatch(/^PostgreSQL \S+ is ready to sync\./)
      expect(migrated.stdout).toContain('1 row')
      expect(await json(directory, ['migrate'])).toEqual({
        addedColumns: [],
        changedColumns: [],
        filled: 0,
        tracked: [],
        logged: 0,
        found: [],
        held: [],
        restored: 0,
        broughtBack: 0,
      })
      const root = Object(await json(directory, ['cert', 'create-root', 'full-country']))
      expect(await json(directory, ['cert', 'list'])).toMatchObject([{ id: Reflect.get(root, 'id') }])
      expect(await json(directory, ['status'])).toMatchObject({ pendingChanges: 1 })
    } finally {
      await client.end()
      await store.destroy()
      rmSync(directory, { recursive: true })
    }
  })
})

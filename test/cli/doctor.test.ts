import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { diagnosisLines } from '../../src/cli/diagnosis-lines.ts'
import { createPaint } from '../../src/cli/paint.ts'
import { createField, json, run, sql } from './support.ts'

const field = createField()
afterAll(() => field.close())

test('from a fresh database to one that can sync', async () => {
  const device = field.device('one')
  const fresh = await run(device, ['doctor'])
  expect(fresh).toMatchObject({ code: 1, stderr: '' })
  expect(fresh.stdout).toMatch(/^error +tracking +Morango's tables are missing/mu)
  expect(fresh.stdout).toContain('> Run `morango migrate`.\n')
  expect(fresh.stdout).toMatch(/^1 error/mu)

  await run(device, ['migrate'])
  const migrated = await run(device, ['doctor'])
  expect(migrated.code).toBe(0)
  expect(migrated.stdout).toMatch(/^warning +certificates +This device has no certificate/mu)

  await run(device, ['cert', 'create-root', 'full-country'])
  // As the application made it, others can read the keys that are in it now.
  const open = Object(await json(device, ['doctor']))
  expect(JSON.stringify(open)).toContain('chmod go-rwx ')
  expect(open).toMatchObject({ severity: 'warning' })
  chmodSync(join(device, 'field.db'), 0o600)
  const ready = Object(await json(device, ['doctor']))
  expect(ready).toMatchObject({ severity: 'ok', versions: { tables: expect.any(Number) } })

  sql(device, (db) => db.exec('drop trigger morango_log_place_update'))
  expect((await run(device, ['status'])).code).toBe(1)
  const broken = await run(device, ['doctor', '--json'])
  expect(broken).toMatchObject({ code: 1, stderr: '' })
  expect(JSON.parse(broken.stdout)).toMatchObject({ severity: 'error' })
})

test('no configuration, one that cannot be used, and a database that cannot be opened', async () => {
  const directory = field.empty()
  const none = await run(directory, ['doctor'])
  expect(none).toMatchObject({ code: 1, stderr: '' })
  expect(none.stdout).toMatch(/^error +configuration +There is no morango.config.ts/mu)
  const shut = join(directory, 'shut.mjs')
  writeFileSync(shut, 'export default { database: () => { throw new Error("no way in") }, profiles: [{}] }\n')
  const unopened = await run(directory, ['doctor', '--json', '-c', shut])
  expect(unopened.code).toBe(1)
  expect(JSON.parse(unopened.stdout)).toMatchObject({
    checks: [{ findings: [{ code: 'database-unopened', sentence: 'no way in.' }] }],
  })
})

test('a screen of findings', () => {
  const lines = diagnosisLines(
    {
      severity: 'warning',
      database: '/data/field.db',
      versions: { morango: '1.2.3', node: 'v24.0.0', tables: 1 },
      checks: [
        {
          name: 'versions',
          severity: 'ok',
          findings: [{ code: 'versions', severity: 'ok', sentence: 'Node is new enough.', mend: undefined }],
        },
        {
          name: 'sessions',
          severity: 'warning',
          findings: [
            {
              code: 'sessions-left',
              severity: 'warning',
              sentence: 'In 2 open sessions nothing has happened for 6 hours; what they hold takes room.',
              mend: 'Run `morango cleanup`, and let it be run every hour.',
            },
            { code: 'x', severity: 'note', sentence: 'Two\nlines.', mend: undefined },
          ],
        },
      ],
    },
    { width: 60, paint: createPaint(false) },
  )
  expect(lines).toEqual([
    '/data/field.db',
    'morango 1.2.3, Node v24.0.0',
    '',
    'ok       versions      Node is new enough.',
    'warning  sessions      In 2 open sessions nothing has',
    '                       happened for 6 hours; what they hold',
    '                       takes room.',
    '                       > Run `morango cleanup`, and let it',
    '                         be run every hour.',
    'note                   Two lines.',
    '',
    '1 warning, 1 note.',
  ])
})

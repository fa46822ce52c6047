import { afterAll, beforeAll, expect, test } from 'vitest'
import { addPlaces, createField, json, run, sql } from './support.ts'

const field = createField()
let device = ''
let country = ''

beforeAll(async () => {
  device = field.device('one')
  await run(device, ['migrate'])
  country = 'c'.repeat(32)
  addPlaces(
    device,
    country,
    Array.from({ length: 150 }, (_, i) => `Place ${i}`),
  )
  await run(device, ['serialize'])
})

afterAll(() => field.close())

test('many deletions stop what serializes, and how to go on is said in both ways', async () => {
  sql(device, (db) => db.exec('delete from place where id <> (select min(id) from place)'))
  const stopped = await run(device, ['serialize'])
  expect(stopped).toMatchObject({ code: 1, stdout: '' })
  expect(stopped.stderr.replaceAll(/\s+/gu, ' ')).toBe(
    'error: Records would be deleted on every peer: 149 of 150 of "place". Nothing was serialized. ' +
      'If they were deleted by accident, `morango rescan --restore` brings the rows back; ' +
      'if on purpose, go on with --confirm-deletions. ',
  )

  expect((await run(device, ['rescan', '--restore', '--dry-run'])).stdout).toBe(
    '149 rows would be written again. Run it without --dry-run.\n',
  )
  expect(await json(device, ['rescan', '--restore'])).toEqual({ found: 149, written: 149 })
  sql(device, (db) => db.exec('delete from place where id <> (select min(id) from place)'))
  const confirmed = await run(device, ['serialize', '--confirm-deletions'])
  expect(confirmed).toMatchObject({ code: 0, stdout: 'Taken over: 149 records deleted.\n' })
})

test('what has bypassed the triggers is said before it is logged', async () => {
  sql(device, (db) => db.exec('update morango_control set tracking = 0'))
  addPlaces(device, country, ['Unseen', 'Unseen, too'], 1000)
  sql(device, (db) => db.exec('update morango_control set tracking = 1'))
  const looked = await run(device, ['rescan', '--dry-run', '--model', 'place'])
  expect(looked.stdout).toBe(
    'Compared 3 rows of 1 model. What no trigger has seen:\n' +
      `  place          2 new rows           such as ${(1000).toString(16).padStart(32, '0')}\n\n` +
      'Nothing was logged. Run it without --dry-run to have this synced.\n',
  )
  expect(await json(device, ['rescan'])).toMatchObject({
    logged: 2,
    models: [{ model: 'place', missing: 2 }],
  })
  expect(await json(device, ['serialize'])).toEqual({ created: 2, updated: 0, deleted: 0, failed: 0 })
  const unknown = await run(device, ['rescan', '--model', 'plaice'])
  expect(unknown.code).not.toBe(0)
  expect(unknown.stderr).toContain('Use one of: place.')
})

test('a column that was added is named by what refuses, and by what makes it sync', async () => {
  sql(device, (db) => db.exec('alter table place add column phone text'))
  const refused = await run(device, ['serialize'])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('The table "place" has new columns: "phone".')
  expect((await run(device, ['migrate'])).stdout).toMatch(
    /is ready to sync\.\n {2}columns {9}place has new columns: "phone"\n$/u,
  )
  expect(await json(device, ['migrate'])).toMatchObject({ changedColumns: [] })
})

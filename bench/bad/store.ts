import { sql } from 'kysely'
import { createMorango, type Database, defineProfile, model, type Profile, scope } from '../../src/index.ts'

const OWNER = 'bench'
const COUNTRY_ID = '0'.repeat(32)
const TAKEN_ID = 'f'.repeat(32)

/** The ways in which a record is bad, and the code that each must be listed with. */
export const WAYS = {
  'no parent': 'foreign-key-missing',
  'a value that a row has': 'unique',
  'a value that another one has': 'unique',
  'a value the database refuses': 'constraint',
  'a value that is not valid': 'validation',
  'no JSON': 'malformed-json',
  'null where it may not be': 'null-not-allowed',
  'no such model': 'unknown-model',
} as const

const NAMES = Object.keys(WAYS).filter((name): name is keyof typeof WAYS => Object.hasOwn(WAYS, name))

/** What is deserialized: places in countries. */
export const profile: Profile = defineProfile({
  name: 'bad',
  models: {
    country: model({ table: 'country', id: 'source-id', partition: '${owner}:country' }),
    place: model({
      table: 'place',
      id: 'source-id',
      partition: '${owner}:place',
      validate: (row: object) => (Reflect.get(row, 'name') === 'nowhere' ? 'It is nowhere.' : undefined),
    }),
  },
  scopes: { all: scope({ root: 'owner', readWrite: '${owner}' }) },
})

const TABLES = [
  'create table country (id text primary key not null, owner text not null)',
  `create table place (id text primary key not null, owner text not null, country_id text not null references country(id),
    name text not null, code text not null unique, population integer not null check (population >= 0))`,
]

/** Fills an empty database with a store of `records` places that wait, `bad` of them bad, of every kind as many. */
export async function fillStore(database: Database, records: number, bad: number): Promise<void> {
  const db = database.kysely
  for (const statement of TABLES) await sql.raw(statement).execute(db)
  const morango = await createMorango({ database, profiles: [profile], migrate: true })
  await sql`insert into country (id, owner) values (${COUNTRY_ID}, ${OWNER})`.execute(db)
  await sql`insert into place (id, owner, country_id, name, code, population)
    values (${TAKEN_ID}, ${OWNER}, ${COUNTRY_ID}, 'first', 'taken', 1)`.execute(db)
  await morango.serialize()
  const every = bad === 0 ? Infinity : Math.floor(records / bad)
  for (let from = 0; from < records; from += 1000) {
    const rows = Array.from({ length: Math.min(1000, records - from) }, (_, index) => {
      const no = from + index
      const isBad = no % every === every - 1
      return recordOf(no, isBad ? NAMES[Math.floor(no / every) % NAMES.length] : undefined)
    })
    await db.insertInto('morango_store').values(rows).execute()
  }
  await sql`insert into morango_dirty (model_name, store_no, deleted, tries)
    select model_name, no, 0, 0 from morango_store where last_saved_instance = 'other'`.execute(db)
}

function recordOf(no: number, way: keyof typeof WAYS | undefined) {
  const id = (no + 1).toString(16).padStart(32, '0')
  const fields = {
    id,
    owner: OWNER,
    country_id: way === 'no parent' ? 'e'.repeat(32) : COUNTRY_ID,
    name:
      way === 'a value that is not valid'
        ? 'nowhere'
        : way === 'null where it may not be'
          ? null
          : `Place ${no}`,
    code:
      way === 'a value that a row has'
        ? 'taken'
        : way === 'a value that another one has'
          ? `c${no - 1}`
          : `c${no}`,
    population: way === 'a value the database refuses' ? -1 : no,
  }
  return {
    id,
    profile: profile.name,
    model_name: way === 'no such model' ? 'planet' : 'place',
    partition: `${OWNER}:place`,
    source_id: id,
    serialized: way === 'no JSON' ? '{"id": oops' : JSON.stringify(fields),
    conflicting_serialized_data: '',
    self_ref_fk: '',
    last_saved_instance: 'other',
    last_saved_counter: 1,
    deleted: 0 as const,
    hard_deleted: 0 as const,
    last_transfer_session_id: null,
  }
}

/** How many records of each code there must be. */
export function expectedCodes(records: number, bad: number): Record<string, number> {
  const codes: Record<string, number> = {}
  const every = bad === 0 ? Infinity : Math.floor(records / bad)
  for (let no = every - 1; no < records; no += every) {
    const way = NAMES[Math.floor(no / every) % NAMES.length]
    if (way !== undefined) codes[WAYS[way]] = (codes[WAYS[way]] ?? 0) + 1
  }
  return codes
}

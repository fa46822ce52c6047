import { defineProfile, model, type Profile, scope } from '../src/index.ts'

/**
 * Three tables as an application would have them, on SQLite and on PostgreSQL. An id is 32 hex digits;
 * `morango.record()` makes them. `dataset_id` is the id of the root certificate: every partition begins with it.
 */
export const SCHEMA = `
  create table if not exists country (
    id         text primary key,
    dataset_id text not null,
    code       text not null,
    name       text not null
  );
  create table if not exists region (
    id         text primary key,
    dataset_id text not null,
    country_id text not null references country (id) on delete cascade,
    code       text not null,
    name       text not null
  );
  create index if not exists region_country on region (country_id);
  create table if not exists place (
    id         text primary key,
    dataset_id text not null,
    country_id text not null references country (id) on delete cascade,
    region_id  text references region (id) on delete set null,
    name       text not null,
    latitude   double precision not null,
    longitude  double precision not null,
    note       text
  );
  create index if not exists place_country on place (country_id);
  create index if not exists place_region on place (region_id);
`

export interface Country {
  readonly id: string
  readonly dataset_id: string
  readonly code: string
  readonly name: string
}

export interface Region {
  readonly id: string
  readonly dataset_id: string
  readonly country_id: string
  readonly code: string
  readonly name: string
}

export interface Place {
  readonly id: string
  readonly dataset_id: string
  readonly country_id: string
  readonly region_id: string | null
  readonly name: string
  readonly latitude: number
  readonly longitude: number
  readonly note: string | null
}

/** What syncs, how it is partitioned, and which kinds of certificate there are. */
export const gazetteer: Profile = defineProfile({
  name: 'gazetteer',
  models: {
    // Countries and regions have codes, so every device derives the same id for them.
    country: model<Country>()({
      table: 'country',
      sourceId: '${code}',
      partition: '${dataset_id}:${id}',
    }),
    region: model<Region>()({
      table: 'region',
      sourceId: '${code}',
      partition: '${dataset_id}:${country_id}:region',
    }),
    // Places have none: theirs is random, in a column of its own that Morango adds.
    place: model<Place>()({
      table: 'place',
      partition: '${dataset_id}:${country_id}:place',
    }),
  },
  scopes: {
    'full-gazetteer': scope({ root: 'dataset_id', readWrite: '${dataset_id}' }),
    'whole-dataset': scope({ readWrite: '${dataset_id}' }),
    'one-country': scope({ readWrite: '${dataset_id}:${country_id}' }),
  },
})

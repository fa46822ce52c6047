import { defineProfile, type MergePolicies, model, type Profile, scope } from '../src/index.ts'

/** The tables of the models in `python/survey/models.py`, as a TypeScript application has them. */
export const TABLES = `
  create table region (
    id text primary key,
    dataset_id text not null,
    code varchar(40) not null,
    name varchar(200) not null default '',
    parent_id text references region (id) on delete cascade
  );
  create table person (
    id text primary key,
    dataset_id text not null,
    name varchar(200) not null default '',
    active boolean not null default true,
    home_id text references region (id) on delete set null
  );
  create table visit (
    id text primary key,
    dataset_id text not null,
    person_id text not null references person (id) on delete cascade,
    region_id text not null references region (id) on delete cascade,
    note text not null default ''
  );
  create table sample (
    id text primary key,
    dataset_id text not null,
    label varchar(60) not null,
    text text not null default '',
    flag boolean not null default false,
    maybe boolean,
    small integer not null default 0,
    big bigint,
    ratio real,
    amount decimal(12, 2),
    happened_at datetime,
    day date,
    at_time time,
    length text,
    token char(32),
    payload json,
    json_text text not null default ''
  );
`

/**
 * The models and scopes that both sides have.
 *
 * @param sampleMerge - what the original knows nothing of: how conflicts over samples are merged
 */
export const surveyWith = (sampleMerge?: MergePolicies): Profile =>
  defineProfile({
    name: 'survey',
    models: {
      region: model({ table: 'region', sourceId: '${code}', partition: '${dataset_id}:shared' }),
      person: model({ table: 'person', id: 'source-id', partition: '${dataset_id}:user:${id}' }),
      visit: model({ table: 'visit', partition: '${dataset_id}:user:${person_id}' }),
      sample: model({
        table: 'sample',
        sourceId: '${label}',
        partition: '${dataset_id}:shared:sample',
        columns: { length: 'duration', token: 'uuid' },
        ...(sampleMerge !== undefined && { merge: sampleMerge }),
      }),
    },
    scopes: {
      full: scope({ root: 'dataset_id', readWrite: '${dataset_id}' }),
      'one-person': scope({ read: '${dataset_id}:shared', readWrite: '${dataset_id}:user:${person_id}' }),
    },
  })

export const survey: Profile = surveyWith()

/** In dependency order. */
export const MODELS = ['region', 'person', 'visit', 'sample'] as const

export type ModelName = (typeof MODELS)[number]

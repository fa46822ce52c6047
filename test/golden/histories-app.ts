import { model } from '../../src/models/model.ts'
import { defineProfile } from '../../src/models/profile.ts'
import type { Profile } from '../../src/models/profile.ts'
import { scope } from '../../src/models/scope.ts'

/** The test application of the golden data (README there), "kit" partitions: everything lies under a dataset. */
const SQLITE_TABLES = `
  create table facility (
    id char(32) primary key not null,
    name varchar(100) not null,
    now_date datetime not null,
    parent_id char(32) references facility (id) on delete cascade
  );
  create table "user" (
    password varchar(128) not null,
    last_login datetime,
    id char(32) primary key not null,
    is_staff boolean not null default false,
    is_superuser boolean not null default false,
    username varchar(20) not null unique
  );
  create table contentsummarylog (
    id char(32) primary key not null,
    user_id char(32) not null references "user" (id) on delete cascade,
    content_id varchar(32) not null
  );
  create table contentinteractionlog (
    id char(32) primary key not null,
    user_id char(32) not null references "user" (id) on delete cascade,
    content_id varchar(32) not null
  );`

/** What makes the tables, as a database spells it. */
export function tablesFor(database: 'sqlite' | 'postgres'): readonly string[] {
  const text = database === 'sqlite' ? SQLITE_TABLES : SQLITE_TABLES.replaceAll('datetime', 'timestamptz')
  return text.split(';').filter((statement) => statement.trim() !== '')
}

/** The application's tables. */
export const MODELS: readonly string[] = ['contentinteractionlog', 'contentsummarylog', 'facility', 'user']

/** The profile over these tables. The scopes are those of certificates.json. */
export function facilityData(dataset: string): Profile {
  return defineProfile({
    name: 'facilitydata',
    models: {
      facility: model({ table: 'facility', sourceId: '${name}', partition: `${dataset}:facility:\${name}` }),
      user: model({ table: 'user', id: 'source-id', partition: `${dataset}:\${id}:user` }),
      contentsummarylog: model({
        table: 'contentsummarylog',
        sourceId: '${user_id}:${content_id}',
        partition: `${dataset}:\${user_id}:user:summary`,
      }),
      contentinteractionlog: model({
        table: 'contentinteractionlog',
        partition: `${dataset}:\${user_id}:user:interaction`,
      }),
    },
    scopes: {
      rootcert: scope({ root: 'mainpartition', readWrite: '${mainpartition}' }),
      subcert: scope({
        read: ['${mainpartition}:shared', '${mainpartition}:${subpartition}'],
        write: '${mainpartition}:${subpartition}',
      }),
      fullsub: scope({ readWrite: '${mainpartition}' }),
    },
  })
}

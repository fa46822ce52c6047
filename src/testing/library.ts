import { model } from '../models/model.ts'
import { defineProfile } from '../models/profile.ts'
import type { Profile } from '../models/profile.ts'
import { scope } from '../models/scope.ts'

/**
 * The profile that test networks have unless told otherwise, with a bit of everything: shelves that stand in
 * other shelves, books on them, notes in books of their owners, and settings whose ids follow from their keys.
 */
export const library: Profile = defineProfile({
  name: 'library',
  models: {
    shelf: model({ table: 'shelf', partition: '${root}:${owner}' }),
    book: model({ table: 'book', partition: '${root}:${owner}' }),
    note: model({ table: 'note', partition: '${root}:${owner}:note' }),
    setting: model({ table: 'setting', sourceId: '${name}', partition: '${root}:${owner}' }),
  },
  scopes: {
    all: scope({ root: 'root', readWrite: '${root}' }),
    owner: scope({ readWrite: '${root}:${owner}' }),
    reader: scope({ read: '${root}:${owner}' }),
  },
})

/** Its tables, for SQLite and PostgreSQL. */
export const librarySchema: readonly string[] = [
  `create table shelf (id text primary key not null, root text not null, owner text not null,
    label text not null default '', parent_id text references shelf(id) on delete cascade)`,
  `create table book (id text primary key not null, root text not null, owner text not null,
    title text not null default 'untitled', pages integer,
    shelf_id text references shelf(id) on delete cascade)`,
  `create table note (id text primary key not null, root text not null, owner text not null,
    body text not null, book_id text not null references book(id) on delete cascade)`,
  `create table setting (id text primary key not null, root text not null, owner text not null,
    name text not null, value text)`,
]

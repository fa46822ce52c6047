import { describe, expect, test } from 'vitest'
import { readSqliteTable, readSqliteTables } from '../../src/models/read-sqlite-table.ts'
import { sqliteType } from '../../src/models/sqlite-types.ts'
import { openDatabase, queryOf } from './fixtures.ts'

describe('declared types', () => {
  test.each([
    ['BOOLEAN', 'boolean'],
    ['bool', 'boolean'],
    ['date', 'date'],
    ['DateTime', 'date-time'],
    ['TIMESTAMP WITH TIME ZONE', 'date-time'],
    ['time', 'time'],
    ['INTEGER', 'integer'],
    ['bigint unsigned', 'integer'],
    ['real', 'real'],
    ['FLOAT', 'real'],
    ['double precision', 'real'],
    ['numeric', 'decimal'],
    ['blob', 'binary'],
    ['VARBINARY(16)', 'binary'],
    ['json', 'json'],
    ['JSONB', 'json'],
    ['uuid', 'uuid'],
    ['text', 'text'],
    ['CLOB', 'text'],
    ['interval', undefined],
    ['POINT', undefined],
    ['STRING', undefined],
    ['', undefined],
  ])('%s holds %s', (declared, kind) => {
    expect(sqliteType(declared).kind).toBe(kind)
  })

  test('lengths and scales', () => {
    expect(sqliteType('varchar(40)').maxLength).toBe(40)
    expect(sqliteType('character varying ( 7 )').maxLength).toBe(7)
    expect(sqliteType('DECIMAL(10, 2)')).toMatchObject({ kind: 'decimal', scale: 2, maxLength: undefined })
    expect(sqliteType('int(11)').maxLength).toBeUndefined()
  })

  test.each([
    'char(32)',
    'TEXT',
    'uuid',
    'BLOB',
    '',
    'INTEGER',
    'STRING',
    'numeric',
    'double',
    'date',
    'charint',
  ])('coercion of texts by "%s" is what SQLite does', (declared) => {
    const database = openDatabase(`create table t (c ${declared})`)
    const digits = '1'.repeat(32)
    database.prepare('insert into t values (?)').run(digits)
    const stored = database.prepare('select c from t').get()?.['c']
    expect(sqliteType(declared).coercesText).toBe(stored !== digits)
  })
})

describe('tables', () => {
  const database = openDatabase(`
    create table country (id char(32) primary key not null, code varchar(2) not null unique);
    create table "Odd ""name""" (
      ID text primary key not null,
      a decimal(5, 2) not null default 1.5,
      b text default 'it''s',
      c text default current_timestamp,
      d text as (b || 'x') stored,
      e text as (b || 'x'),
      Country_Id text references COUNTRY,
      parent text references "Odd ""name""" (ID) on delete cascade,
      x text, y text,
      foreign key (x, y) references other (k, l),
      unique (x, y)
    );
    create unique index some_of on "Odd ""name""" (b, lower(c)) where b > '';
    create index plain on "Odd ""name""" (c);
    create table pair (a text, b text, primary key (b, a)) without rowid;
    create table strictly (id text primary key, n int, v any) strict;
    create view seen as select id from country;
    create virtual table found using fts5(body);
  `)
  const query = queryOf(database)

  test('columns, keys and indexes', async () => {
    const info = await readSqliteTable(query, 'odd "name"')
    expect(info).toMatchObject({
      name: 'Odd "name"',
      type: 'table',
      generatedColumns: ['d', 'e'],
      primaryKey: ['ID'],
    })
    expect(info?.columns.map(({ name }) => name)).toEqual([
      'ID',
      'a',
      'b',
      'c',
      'Country_Id',
      'parent',
      'x',
      'y',
    ])
    expect(info?.columns.slice(0, 4)).toEqual([
      {
        name: 'ID',
        declaredType: 'TEXT',
        kind: 'text',
        maxLength: undefined,
        scale: undefined,
        nullable: false,
        defaultSql: undefined,
        coercesText: false,
      },
      {
        name: 'a',
        declaredType: 'decimal(5, 2)',
        kind: 'decimal',
        maxLength: undefined,
        scale: 2,
        nullable: false,
        defaultSql: '1.5',
        coercesText: true,
      },
      expect.objectContaining({ name: 'b', nullable: true, defaultSql: "'it''s'" }),
      expect.objectContaining({ name: 'c', defaultSql: 'current_timestamp' }),
    ])
    expect(info?.foreignKeys).toEqual([
      { columns: ['x', 'y'], targetTable: 'other', targetColumns: ['k', 'l'] },
      { columns: ['parent'], targetTable: 'Odd "name"', targetColumns: ['ID'] },
      { columns: ['Country_Id'], targetTable: 'COUNTRY', targetColumns: [] },
    ])
    expect(info?.uniqueIndexes).toEqual([
      { name: 'some_of', columns: ['b'], partial: true, exact: false },
      expect.objectContaining({ columns: ['x', 'y'], partial: false }),
    ])
  })

  test('a composite key in its own order', async () => {
    expect((await readSqliteTable(query, 'pair'))?.primaryKey).toEqual(['b', 'a'])
  })

  test('what is no table', async () => {
    expect(await readSqliteTable(query, 'nothing')).toBeUndefined()
    expect((await readSqliteTable(query, 'seen'))?.type).toBe('view')
    expect((await readSqliteTable(query, 'found'))?.type).toBe('virtual')
  })

  test('all of them', async () => {
    const tables = await readSqliteTables(query)
    expect([...tables.keys()]).toEqual(['Odd "name"', 'country', 'found', 'pair', 'seen', 'strictly'])
    expect(tables.get('strictly')?.columns.map(({ kind }) => kind)).toEqual(['text', 'integer', undefined])
  })
})

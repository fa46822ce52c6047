import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { compileProfile, missingSourceIdColumn } from '../../src/models/compile-profile.ts'
import { joinObject } from '../../src/core/python-json.ts'
import type { MergeSide } from '../../src/models/compiled.ts'
import { model } from '../../src/models/model.ts'
import type { ModelDeclaration } from '../../src/models/model.ts'
import { compile, compileOne, ID_A, mustFind, profileOf, tablesOf } from './fixtures.ts'

const thing = model({ table: 'thing', partition: '${id}' })
const ID = 'id char(32) primary key not null'

describe('order', () => {
  const chain = `
    create table a (${ID}, b_id text references b);
    create table b (${ID}, c_id text references C (ID), same text references c, elsewhere text references d);
    create table c (${ID});
    create table d (${ID});
    create table e (${ID});`
  const at = (table: string): ModelDeclaration => model({ table, partition: '${id}' })

  test('referred-to models first, else as declared', async () => {
    const compiled = await compile(chain, { e: at('e'), a: at('a'), b: at('b'), see: at('c') })
    expect(compiled.models.map(({ name }) => name)).toEqual(['e', 'see', 'b', 'a'])
    expect(mustFind(compiled, 'b').foreignKeys).toMatchObject([
      { column: 'same', targetModel: 'see', targetTable: 'c' },
      { column: 'c_id', targetModel: 'see', targetTable: 'c' },
    ])
    expect(compiled.model('nothing')).toBeUndefined()
    expect(compiled.name).toBe('test')
  })

  test('a foreign key to the own table is the self-reference', async () => {
    const compiled = await compileOne(`create table thing (${ID}, parent text references thing)`, {
      partition: '${id}',
    })
    expect(compiled.selfReference).toBe('parent')
    expect(compiled.foreignKeys).toEqual([])
  })

  test('a circle', async () => {
    const sql = `
      create table a (${ID}, b text references b);
      create table b (${ID}, c text references c);
      create table c (${ID}, b text references b);`
    await expect(compile(sql, { a: at('a'), b: at('b'), c: at('c') })).rejects.toMatchObject({
      code: 'invalid-declaration',
      message: 'The models refer to each other in a circle: "b" → "c" → "b"',
      hint: expect.stringContaining('drop the foreign key constraint'),
    })
    const cut = model({ table: 'c', partition: '${id}', exclude: ['b'] })
    const compiled = await compile(sql, { a: at('a'), b: at('b'), c: cut })
    expect(compiled.models.map(({ name }) => name)).toEqual(['c', 'b', 'a'])
  })
})

describe('columns', () => {
  const sql = `create table thing (
    first text, ${ID}, n integer not null default 7, secret text, local text not null default 'x',
    made text as (first || '!'), morango_source_id text, open integer, at datetime, u uuid, v char(36),
    flag varchar(5), w varchar(9))`
  const options = {
    partition: '${first}:x',
    exclude: ['secret'],
    columns: {
      local: { sync: false },
      open: { kind: 'boolean', default: 1 },
      flag: 'boolean',
      w: { maxLength: 5 },
    },
  } as const

  test('those that sync, in the order of the table', async () => {
    const { columns, sourceIdColumn } = await compileOne(sql, options)
    expect(columns.map(({ name, kind }) => [name, kind])).toEqual([
      ['first', 'text'],
      ['id', 'text'],
      ['n', 'integer'],
      ['open', 'boolean'],
      ['at', 'date-time'],
      ['u', 'uuid'],
      ['v', 'text'],
      ['flag', 'boolean'],
      ['w', 'text'],
    ])
    expect(sourceIdColumn).toBe('morango_source_id')
    expect(columns.map(({ select }) => select).join(' ')).toBe(
      'plain plain text plain text text plain plain plain',
    )
    expect(columns.map(({ nullable }) => nullable).slice(0, 4)).toEqual([true, false, false, true])
    expect(columns[2]).toMatchObject({ whenMissing: undefined, defaultSql: '7' })
    expect(columns[3]).toMatchObject({ whenMissing: 1, defaultSql: undefined })
  })

  test('storages that follow from the type', async () => {
    const { columns } = await compileOne(sql, options)
    const find = (name: string) => columns.find((column) => column.name === name)
    expect(find('u')?.decode(`"${ID_A}"`)).toBe('aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa')
    expect(find('flag')?.decode('true')).toBe('true')
    expect(find('open')?.decode('true')).toBe(1)
    expect(() => find('w')?.decode('"123456"')).toThrow('at most 5')
  })

  test('foreign keys to tables that do not sync are plain columns', async () => {
    const compiled = await compileOne(
      `create table other (k integer primary key); create table thing (${ID}, o integer references other)`,
      { partition: '${id}' },
    )
    expect(compiled.foreignKeys).toEqual([])
    expect(compiled.columns[1]).toMatchObject({ name: 'o', kind: 'integer' })
  })

  test('the record, source id and partition right after the id', async () => {
    const compiled = await compileOne(sql, options)
    const row = {
      first: 'å',
      id: ID_A,
      n: '9007199254740993',
      open: 0,
      at: null,
      u: null,
      v: '1.0',
      flag: 't',
      w: null,
    }
    const fields = compiled.encode(row, { id: ID_A, sourceId: 's"1', partition: 'å:x' })
    expect(joinObject(fields)).toBe(
      `{"first": "\\u00e5", "id": "${ID_A}", "_morango_source_id": "s\\"1", "_morango_partition": "\\u00e5:x", ` +
        '"n": 9007199254740993, "open": false, "at": null, "u": null, "v": "1.0", "flag": true, "w": null}',
    )
    expect(() =>
      compiled.encode({ ...row, v: undefined }, { id: ID_A, sourceId: 's', partition: 'p' }),
    ).toThrow(expect.objectContaining({ code: 'missing-column', field: 'v' }))
  })
})

describe('the column for random source ids', () => {
  const sql = `create table a (${ID}); create table b (${ID}, morango_source_id text); create table c (${ID});
    create table d (${ID}); create table e (${ID}, code text)`

  test('where it is missing', async () => {
    const profile = profileOf({
      a: model({ table: 'a', partition: '${id}' }),
      b: model({ table: 'b', partition: '${id}' }),
      c: model({ table: 'c', partition: '${id}', sourceIdColumn: 'mine' }),
      d: model({ table: 'd', partition: '${id}', id: 'source-id' }),
      e: model({ table: 'e', partition: '${id}', sourceId: '${code}' }),
    })
    const tables = await tablesOf(sql)
    expect(missingSourceIdColumn(profile, tables)).toEqual([
      { model: 'a', table: 'a', column: 'morango_source_id' },
      { model: 'c', table: 'c', column: 'mine' },
    ])
    const compiled = compileProfile(profile, tables)
    expect(compiled.models.map(({ sourceIdColumn }) => sourceIdColumn)).toEqual([
      'morango_source_id',
      'morango_source_id',
      'mine',
      undefined,
      undefined,
    ])
    expect(compiled.model('e')).toMatchObject({ partitionTemplate: '${id}', sourceIdTemplate: '${code}' })
    expect(compiled.model('a')?.sourceIdTemplate).toBeUndefined()
  })
})

interface Refusal {
  readonly sql: string
  readonly models?: Readonly<Record<string, ModelDeclaration>>
  readonly tableNames?: readonly string[]
  readonly options?: Partial<Parameters<typeof compileOne>[1]>
  readonly message: string
  readonly hint: string
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'a table that is not there': {
    sql: 'create table things (id text); create table x (id text)',
    message: 'Model "thing": the database has no table "thing"',
    hint: 'Create it first. Did you mean "things"?',
  },
  'a table that is not there, nor any like it': {
    sql: 'create table country (id text); create table x (id text)',
    message: 'Model "thing": the database has no table "thing"',
    hint: 'Create it first. There are: country, x.',
  },
  'a table that is not there, others being known by name only': {
    sql: 'create table x (id text)',
    tableNames: ['x', 'thingy'],
    message: 'Model "thing": the database has no table "thing"',
    hint: 'Create it first. Did you mean "thingy"?',
  },
  'a view': {
    sql: 'create view thing as select 1 as id',
    message: 'Model "thing": "thing" is a view',
    hint: 'triggers can follow the changes of real tables only',
  },
  'a virtual table': {
    sql: 'create virtual table thing using fts5(id)',
    message: 'Model "thing": "thing" is a virtual table',
    hint: 'triggers can follow the changes of real tables only',
  },
  'no primary key': {
    sql: 'create table thing (id text)',
    message: 'Model "thing": the primary key of table "thing" must be the one column "id", and is none',
    hint: 'id char(32) primary key not null',
  },
  'a primary key of another name': {
    sql: 'create table thing (code text primary key)',
    message: 'Model "thing": the primary key of table "thing" must be the one column "id", and is (code)',
    hint: 'id char(32) primary key not null',
  },
  'a primary key of two columns': {
    sql: 'create table thing (id text, a text, primary key (id, a))',
    message: 'Model "thing": the primary key of table "thing" must be the one column "id", and is (id, a)',
    hint: 'id char(32) primary key not null',
  },
  'a primary key of numbers': {
    sql: 'create table thing (id integer primary key)',
    message: 'Model "thing", column "id": its type "INTEGER" cannot hold a record id',
    hint: 'char(32) or text',
  },
  'a primary key that is too short': {
    sql: 'create table thing (id varchar(20) primary key)',
    message: 'Model "thing", column "id": its type "varchar(20)" cannot hold a record id',
    hint: 'char(32) or text',
  },
  'a primary key whose texts SQLite may take for numbers': {
    sql: 'create table thing (id uuid primary key)',
    message:
      'Model "thing", column "id": in a column of type "uuid" SQLite makes numbers of ids that look like numbers',
    hint: 'char(32) or text',
  },
  'one table in two spellings': {
    sql: `create table thing (${ID})`,
    models: { thing, other: model({ table: 'Thing', partition: '${id}' }) },
    message: 'The models "thing" and "other" have the same table "thing"',
    hint: 'one model only',
  },
  'two self-references': {
    sql: `create table thing (${ID}, parent text references thing, boss text references thing)`,
    message:
      'Model "thing": the columns "boss" and "parent" both refer to its own table, and peers can order records ' +
      'by one such column only',
    hint: 'Drop the foreign key constraint of "parent"',
  },
  'a foreign key of two columns': {
    sql: `create table thing (${ID}, a text); create table other (${ID}, x text, y text,
      foreign key (x, y) references thing (id, a))`,
    models: { thing, other: model({ table: 'other', partition: '${id}' }) },
    message: 'Model "other": the foreign key (x, y) to "thing" has 2 columns',
    hint: 'by its id alone',
  },
  'a foreign key to something else than the id': {
    sql: `create table thing (${ID}, code text unique); create table other (${ID}, x text references thing (code))`,
    models: { thing, other: model({ table: 'other', partition: '${id}' }) },
    message: 'Model "other", column "x": its foreign key refers to "thing"."code"',
    hint: 'Refer to the id',
  },
  'a foreign key that cannot hold an id': {
    sql: `create table thing (${ID}, parent integer references thing)`,
    message: 'Model "thing", column "parent": its type "INTEGER" cannot hold a record id',
    hint: 'char(32) or text',
  },
  'a kind for a foreign key': {
    sql: `create table thing (${ID}, parent text references thing)`,
    options: { columns: { parent: 'uuid' } },
    message: 'Model "thing", column "parent": it holds record ids and cannot be of kind "uuid"',
    hint: 'Take the kind out',
  },
  'a column in `columns` that is not there': {
    sql: `create table thing (${ID}, opened integer)`,
    options: { columns: { opend: 'boolean' } },
    message: 'Model "thing", column "opend": table "thing" has no such column',
    hint: 'Did you mean "opened"?',
  },
  'a column in `exclude` that is not there': {
    sql: `create table thing (${ID})`,
    options: { exclude: ['a'] },
    message: 'Model "thing", column "a": table "thing" has no such column',
    hint: 'There are: id.',
  },
  'a generated column in `columns`': {
    sql: `create table thing (${ID}, a text as (id))`,
    options: { columns: { a: 'text' } },
    message: 'Model "thing", column "a": it is generated',
    hint: 'it never syncs',
  },
  'the id left out': {
    sql: `create table thing (${ID})`,
    options: { exclude: ['id'] },
    message: 'Model "thing", column "id": it cannot stay on this device',
    hint: 'Take it out of `exclude`',
  },
  'a column left out that arriving records need': {
    sql: `create table thing (${ID}, a text not null)`,
    options: { exclude: ['a'] },
    message:
      'Model "thing", column "a": it does not sync, but may not be null and has no default, so records that ' +
      'arrive could not be written',
    hint: 'default in the database',
  },
  'a name of the protocol': {
    sql: `create table thing (${ID}, _morango_partition text)`,
    message:
      'Model "thing", column "_morango_partition": names that begin with _morango_ belong to the protocol',
    hint: 'Rename the column',
  },
  'a type that says nothing': {
    sql: `create table thing (${ID}, a money)`,
    message: 'Model "thing", column "a": its type "money" does not say what it holds',
    hint: "columns: { a: 'text' }",
  },
  'no type': {
    sql: `create table thing (${ID}, a)`,
    message: 'Model "thing", column "a": it has no type',
    hint: "columns: { a: 'text' }",
  },
  'a storage of another kind': {
    sql: `create table thing (${ID}, a text)`,
    options: { columns: { a: { kind: 'date-time', storage: 'seconds' as 'iso' } } },
    message: 'Model "thing", column "a": values of kind "date-time" cannot have the storage "seconds"',
    hint: 'iso, sql, epoch-seconds, epoch-milliseconds',
  },
  'a storage where there is one only': {
    sql: `create table thing (${ID}, a text)`,
    options: { columns: { a: { kind: 'text', storage: 'x' as never } } },
    message: 'Model "thing", column "a": values of kind "text" cannot have the storage "x"',
    hint: 'Leave the storage out',
  },
  'a date in a column of numbers, the unit not said': {
    sql: `create table thing (${ID}, a integer)`,
    options: { columns: { a: 'date-time' } },
    message:
      'Model "thing", column "a": it holds numbers (its type is "INTEGER"), which do not say their unit',
    hint: 'with one of epoch-seconds, epoch-milliseconds',
  },
  'a source id column that cannot hold one': {
    sql: `create table thing (${ID}, morango_source_id integer)`,
    message: 'Model "thing", column "morango_source_id": its type "INTEGER" cannot hold a record id',
    hint: 'char(32) or text',
  },
  'a template over a column that is not there': {
    sql: `create table thing (${ID}, country_id text)`,
    options: { partition: '${country}:x' },
    message:
      'Model "thing", column "country": the partition "${country}:x" needs it, but table "thing" has no such column',
    hint: 'There are: id, country_id.',
  },
  'a template over a column that does not sync': {
    sql: `create table thing (${ID}, a text)`,
    options: { partition: '${a}', exclude: ['a'] },
    message:
      'Model "thing", column "a": the partition "${a}" needs it, but it does not sync, so other peers could not ' +
      'derive the same',
    hint: 'Let it sync',
  },
  'a template over a generated column': {
    sql: `create table thing (${ID}, a text as (id))`,
    options: { partition: 'x', sourceId: '${a}' },
    message: 'Model "thing", column "a": the sourceId "${a}" needs it, but it is generated',
    hint: 'generated from',
  },
  'a template over a kind of many spellings': {
    sql: `create table thing (${ID}, a datetime)`,
    options: { partition: '${a}' },
    message:
      'Model "thing", column "a": the partition "${a}" needs it, but its kind is "date-time", whose values need ' +
      'not be the same text on every peer',
    hint: 'a function as partition',
  },
}

describe('refuses', () => {
  test.each(Object.entries(REFUSALS))(
    '%s',
    async (_, { sql, options, message, hint, tableNames, ...refusal }) => {
      const models = refusal.models ?? { thing: model({ table: 'thing', partition: '${id}', ...options }) }
      const tables = await tablesOf(sql)
      expect(() => compileProfile(profileOf(models), tables, tableNames)).toThrow(
        expect.objectContaining({
          code: 'invalid-declaration',
          message,
          hint: expect.stringContaining(hint),
        }),
      )
    },
  )
})

describe('validation', () => {
  const sql = `create table thing (${ID}, n integer)`
  const row = { id: ID_A, n: 5 }

  test.each([
    [() => undefined, { ok: true }],
    [() => 'too small', { ok: false, message: 'too small' }],
    [() => ({ ok: false as const, message: 'no' }), { ok: false, message: 'no' }],
    [async () => 'later', { ok: false, message: 'later' }],
    [
      () => {
        throw new Error('thrown')
      },
      { ok: false, message: 'thrown' },
    ],
    [() => Promise.reject(new Error('rejected')), { ok: false, message: 'rejected' }],
    [z.object({ n: z.number().min(5) }), { ok: true }],
    [z.object({ n: z.number().min(6, 'six') }), { ok: false, message: 'n: six' }],
    [z.object({ n: z.number() }).refine(async () => false, 'whole'), { ok: false, message: 'whole' }],
  ])('%#', async (validate, result) => {
    const compiled = await compileOne(sql, { partition: '${id}', validate })
    expect(await compiled.validate?.(row)).toEqual(result)
  })

  test('what a merge function gives, but for what says who the record is', async () => {
    const merge = (ours: MergeSide): Record<string, unknown> => ({
      ...ours.value,
      n: 1,
      id: 'x',
      _morango_x: 1,
    })
    const compiled = await compileOne(sql, { partition: '${id}', merge })
    const side = { raw: '', value: { a: 'é' }, instance: ID_A, counter: 1, history: {} }
    expect(compiled.merge?.(side, side, ID_A)).toEqual({
      fields: [
        { key: 'a', raw: String.raw`"\u00e9"` },
        { key: 'n', raw: '1' },
      ],
      settled: false,
      combined: false,
    })
    expect(compiled.noteSums).toBeUndefined()
    expect(() => compiled.merge?.({ ...side, value: { a: () => 1 } }, side, ID_A)).toThrow(
      'field a is not a JSON value',
    )
    expect(compiled.validate).toBeUndefined()
  })
})

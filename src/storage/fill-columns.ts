import { type Kysely, sql } from 'kysely'
import { readableValues } from '../core/python-json.ts'
import { type CompiledColumn, type CompiledModel, FieldError, type SqlValue } from '../models/compiled.ts'
import { type Defaults, readDefaults } from './compare-row.ts'
import type { Dialect } from './dialect.ts'
import { markDirtyByIds } from './dirty.ts'
import { selected } from './row-columns.ts'
import { quote } from './rows.ts'
import { isolateFaults } from './savepoint.ts'
import type { Flag, Schema } from './schema.ts'

const BATCH = 1000

interface Candidate {
  readonly morango_no: number
  readonly morango_id: string
  readonly morango_serialized: string
  readonly morango_has_row: Flag
  readonly [column: string]: unknown
}

interface Filling {
  readonly id: string
  readonly values: ReadonlyMap<string, SqlValue>
}

/**
 * Fills columns that are new here with what is in the Store for them: values from peers that had the columns before,
 * kept as fields that nobody here knew. Only where a row has nothing of its own yet, but the column's default. Without
 * this, the default would be taken for an edit, and would replace those values everywhere.
 *
 * What the database does not take is marked to be deserialized, which lists it as a problem. Must run untracked.
 *
 * @returns how many rows were filled
 */
export async function fillColumns(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  names: readonly string[],
): Promise<number> {
  const columns = model.columns.filter(({ name }) => names.includes(name))
  if (columns.length === 0) return 0
  // Rows that were there already have the database's default, whatever is declared for records.
  const plain = columns.map((column) => ({ ...column, whenMissing: undefined }))
  const defaults = [await readDefaults(trx, columns), await readDefaults(trx, plain)]
  let filled = 0
  for (let after = 0; ;) {
    const rows = await readBatch(trx, model, columns, after)
    const refused: string[] = []
    const fillings = rows.flatMap((row) => {
      if (row.morango_has_row === 0) return []
      // What tells whose row it is is not filled in, but held to the record when that is deserialized.
      const tells = columns.some(({ name }) => model.identityColumns?.includes(name) === true)
      const filling = tells ? 'refused' : fillingOf(row, columns, defaults)
      if (filling === 'refused') refused.push(row.morango_id)
      return filling === 'refused' || filling.values.size === 0 ? [] : [filling]
    })
    filled += fillings.length
    await isolateFaults(
      trx,
      dialect,
      fillings,
      (some) => write(trx, model, some),
      ({ id }) => {
        filled -= 1
        refused.push(id)
      },
    )
    if (refused.length > 0) await markDirtyByIds(trx, dialect, JSON.stringify(refused))
    const last = rows.at(-1)
    if (last === undefined || rows.length < BATCH) return filled
    after = last.morango_no
  }
}

async function readBatch(
  trx: Kysely<Schema>,
  model: CompiledModel,
  columns: readonly CompiledColumn[],
  after: number,
): Promise<readonly Candidate[]> {
  const values = columns.map(
    (column) => sql`${sql.raw(selected(column, `t.${quote(column.name)}`))} as ${sql.id(column.name)}`,
  )
  const { rows } = await sql<Candidate>`select ${sql.join(values)}, s.no as morango_no, s.id as morango_id,
      s.serialized as morango_serialized,
      case when t.id is null then 0 else 1 end as morango_has_row
    from (select no, id, serialized from morango_store
      where profile = ${model.profile} and model_name = ${model.name} and deleted = 0 and no > ${after}
      order by no limit ${BATCH}) s
    left join ${sql.id(model.table)} t on t.id = ${sql.raw(model.id.cast('s.id'))}
    order by s.no`.execute(trx)
  return rows
}

function fillingOf(
  row: Candidate,
  columns: readonly CompiledColumn[],
  defaults: readonly Defaults[],
): Filling | 'refused' {
  const values = new Map<string, SqlValue>()
  // What cannot be read waits with that reason.
  const stored = readableValues(row.morango_serialized)
  try {
    for (const column of columns) {
      const { name } = column
      const theirs = stored?.get(name)
      const ours = column.encode(row[name])
      if (theirs === undefined || theirs === ours) continue
      const unwritten = defaults.map((known) => known.get(name))
      // A default that another row would not get again cannot be told from what was written.
      if (unwritten.includes(undefined) || unwritten.includes(ours)) values.set(name, column.decode(theirs))
    }
  } catch (error) {
    if (error instanceof FieldError) return 'refused'
    throw error
  }
  return { id: row.morango_id, values }
}

async function write(trx: Kysely<Schema>, model: CompiledModel, fillings: readonly Filling[]): Promise<void> {
  for (const { id, values } of fillings) {
    const assignments = [...values].map(([name, value]) => {
      const type = model.types[name]
      return sql`${sql.id(name)} = ${type === undefined ? sql`${value}` : sql`cast(${value} as ${sql.raw(type)})`}`
    })
    await sql`update ${sql.id(model.table)} set ${sql.join(assignments)}
      where id = (select ${sql.raw(model.id.cast('f.id'))} from (select cast(${id} as text) as id) f)`.execute(
      trx,
    )
  }
}

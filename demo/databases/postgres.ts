import type { Database } from '../../src/storage/dialect.ts'
import { postgres } from '../../src/postgres.ts'
import type { AppDatabase, Row, Value } from './app-database.ts'

/** PostgreSQL within this process. It has one session, which the application and Morango use in turn. */
export async function openPGlite(directory: string): Promise<AppDatabase> {
  const { PGlite } = await import('@electric-sql/pglite')
  const pglite = await PGlite.create(directory)
  return overSql({
    forMorango: () => postgres(pglite),
    script: (sql) => pglite.exec(sql),
    async run(sql, values) {
      const { rows, affectedRows } = await pglite.query<Row>(sql, values)
      return { rows, changed: affectedRows ?? 0 }
    },
    close: () => pglite.close(),
  })
}

/** A server. The application has connections of its own, Morango others. */
export async function openServer(url: string): Promise<AppDatabase> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  return overSql({
    forMorango: () => postgres(url),
    script: (sql) => pool.query(sql),
    async run(sql, values) {
      const { rows, rowCount } = await pool.query<Row>(sql, values)
      return { rows, changed: rowCount ?? 0 }
    },
    close: () => pool.end(),
  })
}

interface Session {
  readonly forMorango: () => Database
  readonly script: (sql: string) => Promise<unknown>
  readonly run: (sql: string, values: Value[]) => Promise<{ readonly rows: Row[]; readonly changed: number }>
  readonly close: () => Promise<void>
}

function overSql({ forMorango, script, run, close }: Session): AppDatabase {
  return {
    forMorango,
    close,
    async script(sql) {
      await script(sql)
    },
    query: async (sql, ...values) => (await run(numbered(sql), values)).rows,
    write: async (sql, ...values) => (await run(numbered(sql), values)).changed,

    async insert(table, rows) {
      const columns = Object.keys(rows[0] ?? {}).join(', ')
      if (columns === '') return
      await run(
        `insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1)`,
        [JSON.stringify(rows)],
      )
    },

    async tables() {
      const { rows } = await run(
        `select table_name as name, column_name as column from information_schema.columns
         where table_schema = current_schema() order by table_name, ordinal_position`,
        [],
      )
      const byTable = Map.groupBy(rows, ({ name }) => String(name))
      return new Map(
        [...byTable].map(([name, columns]) => [name, columns.map(({ column }) => String(column))]),
      )
    },
  }
}

/** `?1` as `$1`, and `?` counted from the left. */
function numbered(sql: string): string {
  let last = 0
  return sql.replace(/\?(\d*)/g, (_, number: string) => `$${number === '' ? ++last : number}`)
}

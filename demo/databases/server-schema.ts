import pg from 'pg'

/** The schema in which the demo has its tables. */
export const SCHEMA = 'morango_demo'

const MARK = 'Made by the demo of Morango, which drops it.'
const PATIENCE_MS = 5000
// Any number that no other program is likely to lock.
const LOCK = 4_827_101_963

/** A schema that is ours alone for as long as this process lives. */
export interface TakenSchema {
  /** Connects to it. */
  readonly url: string
  /** Without the user and the password. */
  readonly place: string
  readonly release: (keep: boolean) => Promise<void>
}

/**
 * Makes the schema on the server, in place of the one that an earlier run has left.
 *
 * @throws Error when the server cannot be reached, when another demo runs there, or when a schema with this name
 * has not been made by the demo
 */
export async function takeSchema(url: string): Promise<TakenSchema> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: PATIENCE_MS })
  // The command that runs next tells of it.
  client.on('error', () => undefined)
  await client.connect().catch((error: unknown) => {
    throw new Error(`PostgreSQL at ${client.host}:${client.port} cannot be reached: ${reason(error)}`)
  })
  try {
    const place = await makeSchema(client)
    return {
      url: withSearchPath(url),
      place: `${SCHEMA} in ${place}`,
      async release(keep) {
        if (!keep) await client.query(`drop schema if exists ${SCHEMA} cascade`)
        await client.end()
      },
    }
  } catch (error) {
    await client.end()
    throw error
  }
}

async function makeSchema(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string; encoding: string; free: boolean; mark: string | null }>(
    `select current_database() as name, current_setting('server_encoding') as encoding,
       pg_try_advisory_lock(${LOCK}) as free,
       (select coalesce(obj_description(oid, 'pg_namespace'), '') from pg_namespace where nspname = '${SCHEMA}') as mark`,
  )
  const found = rows[0]
  const name = found?.name ?? ''
  if (found?.free !== true) throw new Error(`Another demo is running in the database "${name}".`)
  if (found.encoding !== 'UTF8') {
    throw new Error(`The database "${name}" is in ${found.encoding}, and the places' names need UTF8.`)
  }
  if (found.mark !== null && found.mark !== MARK) {
    throw new Error(
      `The database "${name}" has a schema ${SCHEMA} that the demo has not made. Name another database.`,
    )
  }
  await client.query(`drop schema if exists ${SCHEMA} cascade`)
  await client.query(`create schema ${SCHEMA}`)
  await client.query(`comment on schema ${SCHEMA} is '${MARK}'`)
  return `the database "${name}" at ${client.host}`
}

function withSearchPath(url: string): string {
  const own = new URL(url)
  const options = own.searchParams.get('options') ?? ''
  own.searchParams.set('options', `${options} -c search_path=${SCHEMA}`.trim())
  return own.href
}

function reason(error: unknown): string {
  // Where a name has several addresses, each has failed.
  if (error instanceof AggregateError) return error.errors.map(reason).join(', ')
  return error instanceof Error ? error.message : String(error)
}

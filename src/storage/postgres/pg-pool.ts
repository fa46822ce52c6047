import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import { parserOf } from './values.ts'

const TYPES = { getTypeParser: parserOf }

/**
 * A `pg` pool as Kysely takes one, whose results have our types. The application's own parsers, which are one set for
 * the whole process, stay as they are.
 */
export function typedPool(pool: Pool): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    connect: async () => {
      const client = await pool.connect()
      // A connection that breaks between two statements says so at the next; unheard, it would end the process.
      client.on('error', ignore)
      return typedClient(client)
    },
  }
}

function ignore(): void {
  // The next statement fails.
}

function typedClient(client: PoolClient): PostgresPoolClient {
  return new Proxy<PostgresPoolClient>(Object.create(null), {
    get: (_target, name) => {
      if (name === 'release')
        return (destroy?: boolean) => {
          client.off('error', ignore)
          client.release(destroy)
        }
      if (name === 'query') {
        return (text: string, values: readonly unknown[]) =>
          client.query({ text, values: [...values], types: TYPES })
      }
      return name === 'processID' ? Reflect.get(client, name) : undefined
    },
  })
}

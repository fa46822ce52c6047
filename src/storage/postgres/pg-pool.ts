import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type { Pool, PoolClient, QueryResult } from 'pg'
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
    connect: () =>
      new Promise((resolve, reject) => {
        // By a callback, for a promise's turn comes later, and a connection may break as soon as it is there. One that
        // breaks between two statements says so at the next; unheard, it would end the process.
        pool.connect((error, client) => {
          if (client === undefined) {
            reject(error ?? new Error('There is no connection'))
            return
          }
          client.on('error', ignore)
          resolve(typedClient(client))
        })
      }),
  }
}

function ignore(): void {
  // The next statement fails.
}

/** Of several statements in one message `pg` gives a list of results. */
async function lastOf(result: Promise<QueryResult | QueryResult[]>): Promise<QueryResult> {
  const results = await result
  if (!Array.isArray(results)) return results
  const last = results.at(-1)
  if (last === undefined) throw new Error('No result of any statement')
  return last
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
          lastOf(client.query({ text, values: [...values], types: TYPES }))
      }
      return name === 'processID' ? Reflect.get(client, name) : undefined
    },
  })
}

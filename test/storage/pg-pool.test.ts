import { EventEmitter } from 'node:events'
import type { Pool, PoolClient } from 'pg'
import { expect, it } from 'vitest'
import { typedPool } from '../../src/storage/postgres/pg-pool.ts'

type Connected = (error: Error | undefined, client: PoolClient | undefined) => void

/** A pool whose one connection is ended by the server in the moment in which it is handed out. */
function poolOf(client: EventEmitter): Pool {
  const connect = (done?: Connected): Promise<PoolClient> | undefined => {
    const given = Object.assign(client, { release: () => undefined })
    const promise = done === undefined ? Promise.resolve(given) : undefined
    // Stands in for a client as far as it is used here.
    done?.(undefined, given as unknown as PoolClient)
    client.emit('error', new Error('terminating connection due to administrator command'))
    return promise as Promise<PoolClient> | undefined
  }
  return { connect, options: {}, end: () => Promise.resolve() } as unknown as Pool
}

it('a connection that breaks as it is handed out does not end the process', async () => {
  const client = new EventEmitter()
  const connection = await typedPool(poolOf(client)).connect()
  expect(client.listenerCount('error')).toBe(1)
  connection.release()
  expect(client.listenerCount('error')).toBe(0)
})

it('a connection that cannot be had is an error', async () => {
  const pool = { connect: (done: Connected) => done(new Error('refused'), undefined), options: {} }
  await expect(typedPool(pool as unknown as Pool).connect()).rejects.toThrow('refused')
})

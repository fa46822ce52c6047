import type { Attack } from '../attack.ts'
import { BOMBS, gzipped, zstandard } from '../bodies.ts'
import { beginPush, send, signIn, transferRequest } from '../caller.ts'
import { hostileRecord, records } from '../records.ts'
import { packRecords } from '../../../src/protocol/packed-records.ts'
import { fsicOf } from './claims.ts'

const MIB = 1024 * 1024
const AT_ONCE = 8

/** Many at once. */
export const TOGETHER: readonly Attack[] = [
  {
    name: `${AT_ONCE} chunks of empty lists at once`,
    signedIn: false,
    prepare: async (target) => {
      const body = gzipped(BOMBS['empty lists']?.(48 * MIB) ?? '')
      return await atOnce(() => send(target, { path: 'buffers/', body, contentType: 'application/gzip' }))
    },
  },
  {
    name: '500 nonces at once',
    signedIn: false,
    prepare: async (target) => await atOnce(() => send(target, { path: 'nonces/', body: {} }), 500),
  },
  {
    name: `${AT_ONCE} largest chunks at once, gzip`,
    signedIn: true,
    prepare: async (target) => {
      const transfer = await beginPush(target)
      const made = records(10_000, () =>
        hostileRecord(transfer, target.attacker.prefix, { serialized: `${transfer}${'x'.repeat(3900)}` }),
      )
      const body = gzipped(JSON.stringify(made))
      return await atOnce(() => send(target, { path: 'buffers/', body, contentType: 'application/gzip' }))
    },
  },
  {
    name: `${AT_ONCE} times 2 records of 8 MiB at once, packed`,
    signedIn: true,
    prepare: async (target) => {
      const transfer = await beginPush(target)
      const made = records(2, () =>
        hostileRecord(transfer, target.attacker.prefix, { serialized: `ж${'x'.repeat(8 * MIB - 1000)}` }),
      )
      const body = zstandard(JSON.stringify(packRecords(made)))
      const contentType = 'application/vnd.morango.packed+zstd'
      return await atOnce(() => send(target, { path: 'buffers/', body, contentType }))
    },
  },
  {
    name: `${AT_ONCE} times the most claims at once`,
    signedIn: true,
    prepare: async (target) => {
      const client_fsic = fsicOf(target.attacker.prefix)
      const sessions = await Promise.all(Array.from({ length: AT_ONCE }, async () => await signIn(target)))
      const bodies = sessions.map((session) =>
        transferRequest(session, target.attacker.prefix, { records_total: 1, client_fsic }),
      )
      return async () =>
        await Promise.all(bodies.map(async (body) => await send(target, { path: 'transfersessions/', body })))
    },
  },
]

async function atOnce<T>(one: () => Promise<T>, times = AT_ONCE): Promise<() => Promise<T[]>> {
  return async () => await Promise.all(Array.from({ length: times }, one))
}

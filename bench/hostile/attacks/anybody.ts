import { type Attack, byAnybody } from '../attack.ts'
import { BOMBS, gzipped, zstandard } from '../bodies.ts'
import { bytesOf, newId, send, transferRequest } from '../caller.ts'
import { hostileRecord } from '../records.ts'
import { fsicOf } from './claims.ts'

const MIB = 1024 * 1024
const LARGEST_BODY = 32 * MIB

/** What anybody can send who has neither certificate nor session. */
export const BY_ANYBODY: readonly Attack[] = [
  ...Object.entries(BOMBS).map(([what, make]): Attack => {
    return ready(`chunk of ${what}, gzip`, () => gzipped(make(48 * MIB)), 'application/gzip')
  }),
  ...Object.entries(BOMBS).map(([what, make]): Attack => {
    return ready(`chunk of ${what}`, () => bytesOf(make(LARGEST_BODY - MIB)), 'application/json')
  }),
  ready(
    'chunk, packed, of histories',
    () => zstandard(`{"rare":{"0":{"history":[${'[0,1],'.repeat(8 * MIB)}[0,1]]}}}`),
    'application/vnd.morango.packed+zstd',
  ),
  ready(
    'chunk for no session, one record of 8 MiB',
    () => gzipped(JSON.stringify([hostileRecord(newId(), 'x', { serialized: 'é'.repeat(4 * MIB - 100) })])),
    'application/gzip',
  ),
  ...(['transfersessions/', 'syncsessions/', 'certificatechain/', 'certificates/'] as const).flatMap((path) =>
    Object.entries(BOMBS).map(([what, make]): Attack => {
      // A little below the limit of each call, so that the whole is read.
      const most = {
        'transfersessions/': 17,
        'syncsessions/': 1,
        'certificatechain/': 1,
        'certificates/': 0.25,
      }
      return ready(
        `${path} ${what}`,
        () => bytesOf(make(Math.floor(most[path] * MIB) - 1000)),
        'application/json',
        path,
      )
    }),
  ),
  ready(
    'transfersessions/ with the most claims, no session',
    () => bytesOf(JSON.stringify(transferRequest(newId(), 'x', { client_fsic: fsicOf('x') }))),
    'application/json',
    'transfersessions/',
  ),
  ready(
    'syncsessions/ with an instance of 1 MB',
    () => bytesOf(JSON.stringify({ id: newId(), instance: 'x'.repeat(MIB - 1000) })),
    'application/json',
    'syncsessions/',
  ),
  byAnybody(
    'certificates/ with a password of 8 kB',
    async (target) =>
      await send(target, {
        path: 'certificates/',
        body: { parent: target.attacker.root },
        headers: { authorization: `Basic ${btoa(`${'u'.repeat(4000)}:${'p'.repeat(4000)}`)}` },
      }),
  ),
]

function ready(
  name: string,
  make: () => Uint8Array<ArrayBuffer>,
  contentType: string,
  path = 'buffers/',
): Attack {
  return {
    name,
    signedIn: false,
    prepare: async (target) => {
      const body = make()
      return async () => [await send(target, { path, body, contentType })]
    },
  }
}

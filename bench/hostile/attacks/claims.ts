import { MAX_CLAIMS, MAX_EXPANDED_CLAIMS, MAX_PARTITION, MAX_PREFIXES } from '../../../src/core/limits.ts'
import type { Attack } from '../attack.ts'
import { beginPush, send, sendWell, signIn, transferRequest } from '../caller.ts'
import { hex } from '../records.ts'
import type { Target } from '../target.ts'

/** The most claims that are allowed, as an FSIC of format v2: each on the longest partition of its own. */
export function fsicOf(
  prefix: string,
  { wide = false, instance }: { readonly wide?: boolean; readonly instance?: string } = {},
): string {
  const sub: Record<string, Record<string, number>> = {}
  for (let no = 0; no < MAX_CLAIMS; no++) {
    sub[partition(prefix, no, wide && no === 0)] = { [instance ?? hex(no)]: 1 }
  }
  return JSON.stringify({ super: {}, sub })
}

function partition(prefix: string, no: number, wide: boolean): string {
  return `${prefix}:${no}:`.padEnd(MAX_PARTITION, wide ? 'ж' : 'x')
}

/** All of them on one partition. */
function onOnePartition(prefix: string, claims = MAX_CLAIMS): string {
  return JSON.stringify({ super: {}, sub: { [prefix]: instances(claims) } })
}

/** Partitions of which each contains the next. */
function nested(prefix: string, claims = MAX_CLAIMS): string {
  const room = MAX_PARTITION - prefix.length
  const sub: Record<string, Record<string, number>> = {}
  for (let length = 0; length < room; length++) {
    sub[prefix + 'x'.repeat(length)] = instances(Math.floor(claims / room))
  }
  return JSON.stringify({ super: {}, sub })
}

/** Above each of the most prefixes of a filter, which take them over. */
function above(root: string, claims: number): string {
  return JSON.stringify({ super: { [root]: instances(claims) }, sub: {} })
}

function instances(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, no) => [hex(no), no % 1000]))
}

/** For the longest number, and its colons. */
const ROOM_BELOW = 8

/** A filter of the most prefixes, none within another. */
function widestFilter(prefix: string): string {
  return Array.from({ length: MAX_PREFIXES }, (_, no) =>
    `${prefix}:${no}:`.padEnd(MAX_PARTITION - ROOM_BELOW, 'x'),
  ).join('\n')
}

/** Claims that an attacker makes in a transfer of his own. */
export const CLAIMS: readonly Attack[] = [
  claiming('push, most claims, v2', ({ attacker }) => ({ client_fsic: fsicOf(attacker.prefix) })),
  claiming('push, most claims, v2, one character wide', ({ attacker }) => ({
    client_fsic: fsicOf(attacker.prefix, { wide: true }),
  })),
  claiming('push, most claims, v2, one partition', ({ attacker }) => ({
    client_fsic: onOnePartition(attacker.prefix),
  })),
  claiming('push, most claims, v2, nested partitions', ({ attacker }) => ({
    client_fsic: nested(attacker.prefix),
  })),
  claiming('push, claims above, most prefixes', ({ attacker }) => ({
    filter: widestFilter(attacker.prefix),
    client_fsic: above(attacker.root, MAX_EXPANDED_CLAIMS / MAX_PREFIXES),
  })),
  claiming('push, most claims and prefixes', ({ attacker }) => ({
    filter: widestFilter(attacker.prefix),
    client_fsic: fsicOf(widestFilter(attacker.prefix).split('\n')[0] ?? ''),
  })),
  claiming('push, most claims, v1', () => ({ client_fsic: JSON.stringify(instances(MAX_CLAIMS)) }), 'v1'),
  claiming(
    'push, claims and most prefixes, v1',
    ({ attacker }) => ({
      filter: widestFilter(attacker.prefix),
      client_fsic: JSON.stringify(instances(MAX_EXPANDED_CLAIMS / MAX_PREFIXES)),
    }),
    'v1',
  ),
  claiming('pull, most claims, v2', ({ attacker }) => ({
    push: false,
    client_fsic: fsicOf(attacker.prefix),
  })),
  claiming(
    'pull, most claims, v1',
    () => ({ push: false, client_fsic: JSON.stringify(instances(MAX_CLAIMS)) }),
    'v1',
  ),
  claiming('a filter of the most prefixes', ({ attacker }) => ({ filter: widestFilter(attacker.prefix) })),
  claiming('a filter of too many prefixes', () => ({ filter: 'x\n'.repeat(25_000) })),
  {
    name: "pull, most claims, v2, of the server's own instance",
    signedIn: true,
    prepare: async (target) => {
      const info = await sendWell(target, { method: 'GET', path: 'morangoinfo/1/' })
      const instance = String(Reflect.get(info, 'instance_id'))
      const session = await signIn(target)
      const client_fsic = fsicOf(target.attacker.prefix, { instance })
      const body = transferRequest(session, target.attacker.prefix, { push: false, client_fsic })
      return async () => [await send(target, { path: 'transfersessions/', body })]
    },
  },
  {
    name: 'most claims, sent again by PATCH',
    signedIn: true,
    prepare: async (target) => {
      const transfer = await beginPush(target)
      const body = { client_fsic: fsicOf(target.attacker.prefix), transfer_stage: 'serializing' }
      return async () => [
        await send(target, { method: 'PATCH', path: `transfersessions/${transfer}/`, body }),
      ]
    },
  },
  {
    name: 'most claims, learned at the end of a push',
    signedIn: true,
    prepare: async (target) => {
      const session = await signIn(target)
      const body = transferRequest(session, target.attacker.prefix, {
        records_total: 0,
        client_fsic: fsicOf(target.attacker.prefix),
      })
      return async () => [
        await send(target, { path: 'transfersessions/', body }),
        await send(target, { method: 'DELETE', path: `transfersessions/${String(body['id'])}/` }),
      ]
    },
  },
]

function claiming(
  name: string,
  make: (target: Target) => Readonly<Record<string, unknown>>,
  format: 'v1' | 'v2' = 'v2',
): Attack {
  return {
    name,
    signedIn: true,
    prepare: async (target) => {
      const session = await signIn(target)
      const { filter = target.attacker.prefix, ...more } = make(target)
      const body = transferRequest(session, String(filter), { records_total: 1, ...more })
      const headers = { 'x-morango-capabilities': format === 'v2' ? 'FSIC_V2_FORMAT' : '' }
      return async () => [await send(target, { path: 'transfersessions/', body, headers })]
    },
  }
}

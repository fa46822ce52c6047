import { sql } from 'kysely'
import { expect } from 'vitest'
import { basename } from 'node:path'
import { hasRunAway, type MaliciousServer } from './layer.ts'
import type { Scene } from './scene.ts'
import { FILTER, keys, MODELS, PASSWORD, root, type World } from './world.ts'

/** What of the client a server may not touch. */
export interface Untouchable {
  readonly rows: unknown
  readonly store: unknown
  readonly claims: readonly string[]
  readonly certificates: readonly string[]
  readonly privateKeys: unknown
}

const isInside = (partition: unknown): boolean =>
  typeof partition === 'string' && partition.startsWith(FILTER)

/**
 * What lies outside the filter, and what is nobody's but the client's.
 *
 * @param renews - whether the client takes a new identity, by which it stamps anew what nobody has seen
 */
export async function untouchable({ client }: World, renews = false): Promise<Untouchable> {
  const rows: unknown[] = []
  for (const model of MODELS) {
    rows.push((await client.rows(model)).filter(({ owner }) => owner !== 'u1'))
  }
  const { kysely } = client.database
  const claims = await kysely.selectFrom('morango_database_max_counter').selectAll().execute()
  const instances = await kysely.selectFrom('morango_instance').select('id').execute()
  const isOwn = (claim: string): boolean => instances.some(({ id }) => claim.includes(` ${id} `))
  const taught = await client.morango.claims.list()
  const certificates = await kysely.selectFrom('morango_certificate').selectAll().orderBy('id').execute()
  return {
    rows,
    store: (await client.records())
      .filter(({ partition }) => !isInside(partition))
      .map((record) => (renews ? { ...record, version: 'any' } : record)),
    claims: [
      ...claims.map((one) => `${one.partition} ${one.instance_id} ${one.counter}`),
      ...taught.map((one) => `${one.partition} ${one.instance} ${one.counter} by ${one.certificate}`),
    ]
      // What the client has saved itself it may claim wherever it has.
      .filter((claim) => !isInside(claim) && !isOwn(claim))
      .toSorted(),
    certificates: certificates.map(({ id, serialized, signature }) => `${id} ${serialized} ${signature}`),
    privateKeys: (await sql`select * from morango_shared_key`.execute(kysely)).rows,
  }
}

/** Fails where the server has changed what it may not, its own certificate aside where a session was opened. */
export async function expectUntouched(
  world: World,
  before: Untouchable,
  { opens = true, renews = false }: { readonly opens?: boolean; readonly renews?: boolean },
): Promise<void> {
  const { certificates, ...after } = await untouchable(world, renews)
  const { certificates: had, ...rest } = before
  expect(after).toEqual(rest)
  const own = opens ? (await world.serverCertificate()).id : undefined
  const fresh = certificates.filter((one) => !had.includes(one))
  expect(fresh.filter((one) => own === undefined || !one.startsWith(own))).toEqual([])
  expect(had.filter((one) => !certificates.includes(one))).toEqual([])
}

const PEM_LINE = 40

/** Fails where something has left the client that the server must not have. */
export function expectNothingLeaked(
  server: MaliciousServer,
  elsewhere: MaliciousServer,
  asked: number,
): void {
  expect(elsewhere.seen).toEqual([])
  const basic = Buffer.from(`ana:${PASSWORD}`).toString('base64')
  const holding = (text: string): string[] =>
    server.seen
      .filter(({ url, headers, body }) => `${url}\n${headers}\n${body}`.includes(text))
      .map(({ method, url }) => `${method} ${basename(new URL(url).pathname)}`)
  expect([...holding(basic), ...holding(PASSWORD)]).toEqual(
    Array.from({ length: asked }, () => 'POST certificates'),
  )
  const key = keys.client.privateKeyPem.split('\n').join('')
  expect(holding(key.slice(key.length / 2, key.length / 2 + PEM_LINE))).toEqual([])
  expect(holding('classified')).toEqual([])
}

/** Fails where the client was made to do more than an honest server would. */
export function expectBounded(server: MaliciousServer, requests: number, bytes: number): void {
  expect(server.faults).toEqual([])
  expect(hasRunAway(server)).toBe(false)
  expect(server.seen.length).toBeLessThanOrEqual(requests)
  expect(server.sentBytes).toBeLessThanOrEqual(bytes)
}

/** Fails unless what the client wrote and nobody saw is still there, as the row or in a conflict that is listed. */
export async function expectEditsKept({
  world: { client },
  mark,
  both,
  mine,
  made,
  secret,
}: Scene): Promise<void> {
  for (const id of [both, mine, made]) {
    const row = await client.row('book', id)
    if (row?.['title'] === `unsynced ${mark}`) continue
    const conflicts = await client.morango.conflicts.list({ recordId: id })
    const texts = await Promise.all(conflicts.map(async (one) => await client.morango.conflicts.show(one.id)))
    expect(JSON.stringify(texts.map(({ fields }) => fields))).toContain(`unsynced ${mark}`)
  }
  expect((await client.row('book', secret))?.['title']).toBe(`classified ${mark}`)
}

/** Syncs with an honest server; fails unless both are equal after. */
export async function expectEqualWithHonest({ world, made }: Scene): Promise<void> {
  const { client, honest } = world
  await client.morango.sync(await world.honestPeer(), { filter: root.certificate.id })
  expect(await client.records()).toEqual(await honest.records())
  for (const model of MODELS) expect(await client.rows(model)).toEqual(await honest.rows(model))
  expect(await honest.row('book', made)).toBeDefined()
}

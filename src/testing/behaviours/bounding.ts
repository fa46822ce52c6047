import { sql } from 'kysely'
import { certificateToItem } from '../../core/certificate.ts'
import { MorangoError } from '../../core/errors.ts'
import { createSigner } from '../../crypto/webcrypto-signer.ts'
import type { ServeOptions } from '../../morango.ts'
import type { Caller } from '../../protocol/peer.ts'
import { errorAnswer } from '../../protocol/status.ts'
import { sessionText } from '../../session/serve-sync-sessions.ts'
import { certificateChain, heldCertificates } from '../../storage/certificates.ts'
import { forgetSessions } from '../../storage/forget-sessions.ts'
import { purgeAttempts } from '../../storage/sign-in-attempts.ts'
import { type Behaviour, failure, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import { createSeededRandom } from '../random.ts'
import { add, suiteNetwork } from './fixtures.ts'

const signer = createSigner()
const random = createSeededRandom('bounding')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Nobody may use up a server by many small things, and whoever tries hinders no other. */
export const bounding: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'makes whoever guesses passwords wait, over restarts, and lets others in',
    async run(make) {
      let asked = 0
      const network = await served(make, {
        authorize: ({ username, password }) => {
          asked++
          return username === 'ana' && password === 'secret' ? true : 'unauthenticated'
        },
      })
      const guesses: number[] = []
      for (let index = 0; index < 300; index++)
        guesses.push((await signIn(network, 'ana', `${index}`, '10.0.0.1')).status)
      same(guesses.slice(0, 6), [401, 401, 401, 401, 401, 429], 'the first guesses')
      holds(asked <= 8, `authorize was asked ${asked} times`)
      for (let pause = 60; pause <= 120;) {
        network.advance(pause * 1000)
        same((await signIn(network, 'ana', 'wrong', '10.0.0.1')).status, 401, 'after a pause')
        pause = (await signIn(network, 'ana', 'secret', '10.0.0.1')).retryAfter ?? Infinity
      }
      await network.peer('server').restart()
      const paused = await signIn(network, 'ana', 'secret', '10.0.0.1')
      same(paused.status, 429, 'the right password during a pause')
      holds((paused.retryAfter ?? 0) >= 1, 'it says when to come back')
      same((await signIn(network, 'ana', 'secret', '10.0.0.2')).status, 200, 'from elsewhere')
      network.advance(15 * 60_000)
      same((await signIn(network, 'ana', 'secret', '10.0.0.1')).status, 200, 'after the pause')
      same((await signIn(network, 'ana', 'wrong', '10.0.0.1')).status, 401, 'a success has cleared it')
    },
  },
  {
    name: 'counts guesses that are under way at the same time, in whatever spelling of the name',
    async run(make) {
      let asked = 0
      const network = await served(make, {
        authorize: () => {
          asked++
          return false
        },
      })
      const names = ['ana', ' ANA', 'username=ana', 'username=Ana&facility=1', 'facility=2&username=ana']
      const statuses = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          signIn(network, names[index % 5] ?? '', `${index}`, '10.0.0.1'),
        ),
      )
      holds(asked <= 7, `authorize was asked ${asked} times`)
      holds(statuses.filter(({ status }) => status === 429).length >= 50, 'the others wait')
    },
  },
  {
    name: 'makes wait who tries many names from one address, or one name from many',
    async run(make) {
      let asked = 0
      const network = await served(make, {
        authorize: ({ username, password }) => {
          asked++
          return username === 'ana' && password === 'secret' ? true : 'unauthenticated'
        },
      })
      same((await signIn(network, 'ana', 'secret', '10.9.9.9')).status, 200, 'from her own address')
      asked = 0
      // All of a /64 are one.
      for (let index = 0; index < 200; index++) {
        await signIn(network, `user ${index}`, 'password', `2001:db8:0:1::${index.toString(16)}`)
      }
      holds(asked >= 20 && asked <= 40, `names: authorize was asked ${asked} times`)
      asked = 0
      for (let index = 0; index < 200; index++) await signIn(network, 'ana', `${index}`, `10.0.1.${index}`)
      holds(asked >= 15 && asked <= 30, `addresses: authorize was asked ${asked} times`)
      same((await signIn(network, 'ana', 'secret', '10.9.9.9')).status, 200, 'from where she was before')
      for (let index = 0; index < 25; index++) await signIn(network, 'bob', `${index}`, `10.0.2.${index}`)
      network.advance(61_000)
      same(
        (await signIn(network, 'bob', 'x', '10.0.3.1')).status,
        401,
        'a name is free again within a minute',
      )
    },
  },
  {
    name: 'an own account does not clear what an address has failed, and what failed otherwise counts not',
    async run(make) {
      const network = await served(make, {
        authorize: ({ username, password }) => {
          if (username === 'broken') throw new Error('the directory does not answer')
          return password === 'secret' ? true : 'unauthenticated'
        },
      })
      let refused = 0
      for (let index = 0; index < 100; index++) {
        if ((await signIn(network, `victim ${index}`, 'guess', '10.0.0.1')).status === 429) refused++
        await signIn(network, 'mallory', 'secret', '10.0.0.1')
      }
      holds(refused > 50, `refused ${refused} times`)
      for (let index = 0; index < 40; index++) {
        same((await signIn(network, 'broken', 'x', '10.0.0.2')).status, 500, 'the application fails')
      }
      for (const [name, password] of [
        ['a'.repeat(1025), 'secret'],
        ['ana', 'é'.repeat(513)],
      ] as const) {
        same((await signIn(network, name, password, '10.0.0.3')).status, 401, 'what is too long')
      }
      const { kysely } = network.peer('server').database
      await purgeAttempts(kysely, Date.UTC(2026, 0, 1), 10)
      const { rows } = await sql<{ n: number }>`select count(*) as n from morango_sign_in
        where paused_until <= ${Date.UTC(2026, 0, 1)}`.execute(kysely)
      holds(Number(rows[0]?.n) <= 10, 'the table has an end')
    },
  },
  {
    name: 'gives a network so many nonces, and takes none from another',
    async run(make) {
      const network = await served(make, { limits: { nonces: { perAddress: 5, inAll: 12 } } })
      const { service, database } = network.peer('server')
      const honest = await service.createNonce(from('10.0.0.2'))
      for (let index = 0; index < 40; index++)
        await service.createNonce(from(`2001:db8::${index.toString(16)}`))
      const kept = async (): Promise<number> =>
        (await database.kysely.selectFrom('morango_nonce').select('id').execute()).length
      same(await kept(), 6, 'nonces')
      for (let index = 0; index < 100; index++) await service.createNonce(from(`10.1.${index}.1`))
      await service.createNonce(from('10.0.0.3'))
      holds((await kept()) <= 13, `${await kept()} nonces`)
      same(
        await openWith(network, 'client', '10.0.0.2', honest.id)
          .then(() => 'opened')
          .catch(() => 'gone'),
        'gone',
        'one of many with one each',
      )
      const next = await service.createNonce(from('10.0.0.2'))
      for (let index = 0; index < 40; index++) await service.createNonce(from('10.9.9.9'))
      await openWith(network, 'client', '10.0.0.2', next.id)
    },
  },
  {
    name: 'a certificate has so many sessions open, loses its own resting ones, and takes no place of another',
    async run(make) {
      const network = await served(make, {
        limits: { syncSessions: { perCertificate: 3, perBranch: 6, inAll: 5 }, queueMs: 0 },
      })
      const honest = await openWith(network, 'client', '10.0.0.2')
      const own: string[] = []
      for (let index = 0; index < 3; index++) own.push(await openWith(network, 'server', '10.0.0.1'))
      const refused = await failure(
        openWith(network, 'server', '10.0.0.1'),
        'a fourth that nothing makes room for',
      )
      same([errorAnswer(refused).status, errorAnswer(refused).retryAfter], [429, 5], 'the answer')
      network.advance(11_000)
      const fourth = await openWith(network, 'server', '10.0.0.1')
      const { service } = network.peer('server')
      const open = async (id: string): Promise<boolean> =>
        (await service.syncSession(id, from(''))) !== undefined
      const states = await Promise.all([...own, fourth, honest].map(open))
      same(states, [false, true, true, true, true], 'which are open')
      // With everything taken, the one that has most gives way.
      await openWith(network, 'client', '10.0.0.2')
      network.advance(11_000)
      const more = await openWith(network, 'client', '10.0.0.2')
      same(await open(more), true, 'the one with fewer gets in')
    },
  },
  {
    name: 'two that open sessions at once stay within the quota',
    async run(make) {
      const network = await served(make, { limits: { syncSessions: { perCertificate: 4 }, queueMs: 0 } })
      const results = await Promise.all(
        Array.from({ length: 20 }, () =>
          openWith(network, 'client', '10.0.0.1').then(
            () => 'open',
            (error: unknown) => errorAnswer(error).status,
          ),
        ),
      )
      same(results.filter((result) => result === 'open').length, 4, 'sessions')
      same(results.filter((result) => result === 429).length, 16, 'refused')
    },
  },
  {
    name: 'what a push announces and a session begins has an end',
    async run(make) {
      const network = await served(make, { limits: { recordsPerPush: 10, transfersPerSession: 3 } })
      const { service } = network.peer('server')
      const caller = from('10.0.0.1')
      const session = await openWith(network, 'server', caller.ip)
      const begin = async (records_total?: number): Promise<unknown> => {
        const id = random.uuid()
        const request = { id, filter: network.root, push: true, sync_session_id: session, client_fsic: '{}' }
        const made = await service.createTransferSession(
          records_total === undefined ? request : { ...request, records_total },
          caller,
        )
        await failure(service.updateTransferSession(id, { records_total: 11 }, caller), 'too many announced')
        await service.updateTransferSession(id, { records_total: 10 }, caller)
        await service.closeTransferSession(id, { ...caller, capabilities: new Set(['ASYNC_OPERATIONS']) })
        return made
      }
      same(errorAnswer(await failure(begin(11), 'too many at the beginning')).status, 400, 'the answer')
      for (let index = 0; index < 3; index++) await begin()
      same(errorAnswer(await failure(begin(), 'one more transfer')).status, 429, 'the answer')
    },
  },
  {
    name: 'buffers of pushes that are not ended have an end, and an honest sync goes on',
    async run(make) {
      const network = await served(make, {
        limits: { bufferedRecords: { perCertificate: 5, perBranch: 5, perAddress: 5 }, queueMs: 0 },
      })
      for (let index = 0; index < 8; index++) await add(network, 'client', 'book')
      const full = await failure(
        network.sync('client', 'server', { direction: 'push' }),
        'eight records where five may wait',
      )
      holds(full instanceof MorangoError, 'it has a code')
      same((await network.peer('server').rows('book')).length, 0, 'nothing has arrived')
      const small = await served(make, { limits: { bufferedRecords: { perCertificate: 5 }, queueMs: 0 } })
      for (let index = 0; index < 5; index++) await add(small, 'client', 'book')
      await small.sync('client', 'server')
      for (let index = 0; index < 5; index++) await add(small, 'client', 'book')
      await small.sync('client', 'server')
      same((await small.peer('server').rows('book')).length, 10, 'what went one after the other')
    },
  },
  {
    name: 'a certificate signs so many',
    async run(make) {
      const network = await served(make, {
        authorize: () => true,
        limits: { certificatesPerParent: 4, certificatesPerUser: 2 },
      })
      const of = async (name: string): Promise<number> =>
        (await signIn(network, name, 'x', '10.0.0.1')).status
      same([await of('ana'), await of('ana'), await of('ana')], [200, 200, 429], 'of one user')
      same([await of('bob'), await of('eva'), await of('kim')], [200, 200, 429], 'of all users')
    },
  },
  {
    name: 'a server closes idle sessions and forgets old ones by itself, but for the last with each certificate',
    async run(make) {
      const network = await served(make, {})
      await add(network, 'client', 'book')
      await network.sync('client', 'server')
      await network.sync('client', 'server')
      const left = await openWith(network, 'client', '10.0.0.1')
      const { database } = network.peer('server')
      const sessions = async (): Promise<readonly { id: string; active: number }[]> =>
        await database.kysely
          .selectFrom('morango_sync_session')
          .select(['id', 'active'])
          .orderBy('created_at')
          .execute()
      const [first, second] = await sessions()
      network.advance(7 * HOUR_MS)
      await tidied(network)
      same(
        (await sessions()).map(({ active }) => active),
        [0, 0, 0],
        'the idle one is closed',
      )
      network.advance(31 * DAY_MS)
      await tidied(network)
      same(
        (await sessions()).map(({ id }) => id),
        [second?.id, left],
        'what is kept',
      )
      holds(first?.id !== undefined, 'there was one more')
      const peers = await network.peer('server').morango.peers()
      same(
        peers.map(({ received }) => received?.complete),
        [undefined, true],
        'what is known of those who came',
      )
      await network.sync('client', 'server')
      const report = await network
        .peer('server')
        .morango.cleanup({ sessionsBefore: new Date(Date.UTC(2090, 0, 1)) })
      same(report.forgottenSessions, 2, 'what cleanup forgets')
    },
  },
  {
    name: 'a session that brought a record which still waits is not forgotten, one of hundreds that tell nothing is',
    async run(make) {
      const network = await served(make, {})
      const id = await add(network, 'client', 'book')
      await network.sync('client', 'server')
      const { kysely } = network.peer('server').database
      await sql`insert into morango_dirty (model_name, store_no, deleted, tries) select model_name, no, 0, 1
        from morango_store where id = ${id}`.execute(kysely)
      for (let index = 0; index < 3; index++) await network.sync('client', 'server', { direction: 'pull' })
      const before = '2090-01-01T00:00:00.000Z'
      same(await forgetSessions(kysely, { before, limit: 100 }), 2, 'forgotten')
      const brought = await sql<{
        n: number
      }>`select count(*) as n from morango_store r join morango_transfer_session t
        on t.id = r.last_transfer_session_id join morango_sync_session s on s.id = t.sync_session_id
        where r.id = ${id}`.execute(kysely)
      same(Number(brought.rows[0]?.n), 1, 'who sent it is known')
      for (let index = 0; index < 6; index++) {
        const session = await openWith(network, 'client', '10.0.0.1')
        await network.peer('server').service.closeSyncSession(session, from(''))
      }
      same(
        await forgetSessions(kysely, { before: '2000-01-01', perBranch: 2, limit: 100 }),
        4,
        'beyond what is kept',
      )
    },
  },
]

/** A server with the root's key, and a client with a certificate below it. */
async function served(make: MakeNetwork, serve: ServeOptions): Promise<TestNetwork> {
  return await suiteNetwork(make, {
    peers: { server: { serve }, client: { scope: { scope: 'all' } } },
  })
}

function from(ip: string): Caller {
  return { ip, serverIp: '', capabilities: new Set(['ASYNC_OPERATIONS', 'FSIC_V2_FORMAT']) }
}

/** What comes of a signing request. */
async function signIn(
  network: TestNetwork,
  username: string,
  password: string,
  ip: string,
): Promise<{ readonly status: number; readonly retryAfter?: number }> {
  const { service, database } = network.peer('server')
  const [held] = await heldCertificates(database.kysely)
  try {
    await service.requestCertificate(
      {
        parent: network.root,
        profile: 'suite',
        scope_definition: 'owner',
        scope_version: 1,
        scope_params: JSON.stringify({ root: network.root, owner: 'x' }),
        public_key: held?.certificate.publicKey ?? '',
      },
      { username, password },
      from(ip),
    )
    return { status: 200 }
  } catch (error) {
    return errorAnswer(error)
  }
}

/** Opens a session at the server with the certificate of a peer. @returns its id */
async function openWith(network: TestNetwork, peer: string, ip: string, given?: string): Promise<string> {
  const { service } = network.peer('server')
  const { kysely } = network.peer(peer).database
  const [held] = await heldCertificates(kysely)
  if (held === undefined) throw new MorangoError('invalid-argument', `${peer} has no certificate.`)
  const chain = await certificateChain(kysely, held.certificate.id)
  const nonce = given ?? (await service.createNonce(from(ip))).id
  const id = random.uuid()
  await service.createSyncSession(
    {
      id,
      server_certificate_id: network.root,
      client_certificate_id: held.certificate.id,
      profile: 'suite',
      certificate_chain: chain.map(certificateToItem),
      connection_path: 'memory:server/',
      instance: '{}',
      nonce,
      client_ip: '',
      server_ip: '',
      signature: await signer.sign(held.privateKeyPem, sessionText(nonce, id)),
    },
    from(ip),
  )
  return id
}

/** Has the server look around, by a call, and do what it finds to do. */
async function tidied(network: TestNetwork): Promise<void> {
  const { service, database } = network.peer('server')
  for (let turn = 0; turn < 20; turn++) {
    await service.createNonce(from('10.0.0.1'))
    await database.kysely.selectFrom('morango_meta').select('key').execute()
  }
}

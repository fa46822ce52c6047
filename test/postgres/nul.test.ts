import { sql } from 'kysely'
import { describe, expect, onTestFinished, test } from 'vitest'
import { certificateToItem } from '../../src/core/certificate.ts'
import { createMorango } from '../../src/index.ts'
import { listen } from '../../src/node.ts'
import { createSigner } from '../../src/crypto/webcrypto-signer.ts'
import { saveCertificate } from '../../src/storage/certificates.ts'
import { createTestAuthority } from '../../src/testing/certificates.ts'
import { TEST_KEY_PAIR } from '../../src/testing/keys.ts'
import {
  createSeededRandom,
  library,
  librarySchema,
  type MakeTestDatabase,
  type TestDatabase,
} from '../../src/testing/index.ts'
import { memorySqlite } from '../../src/testing/sqlite.ts'
import { DATABASE, makeTestDatabase } from '../databases/index.ts'

// A database of PostgreSQL keeps no NUL: what reaches it is an error of its own, which would be answered with 500. A
// peer may be told nothing else by SQLite.

const AUTHORIZATION = `Basic ${btoa('ana:secret')}`
const ID = 'a'.repeat(32)

interface Served {
  readonly root: string
  readonly send: (
    method: string,
    path: string,
    body?: object,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Response>
  /** What was answered with 500. */
  readonly failures: unknown[]
  /** The message that opens a session, correct. */
  readonly sessionRequest: () => Promise<Record<string, string>>
}

async function serve(make: MakeTestDatabase): Promise<Served> {
  const store: TestDatabase = await make()
  const database = await store.open()
  for (const statement of librarySchema) await sql.raw(statement).execute(database.kysely)
  const morango = await createMorango({
    database,
    profiles: [library],
    migrate: true,
    allowCertificatePushing: true,
    onWarning: () => undefined,
  })
  const { root } = await createTestAuthority(library, createSeededRandom(1))
  await saveCertificate(database.kysely, root.certificate, root.privateKeyPem)
  const failures: unknown[] = []
  const listening = await listen(morango, {
    port: 0,
    authorize: ({ username, password }) =>
      username === 'ana' && password === 'secret' ? true : 'unauthenticated',
    routes: { onError: (error) => failures.push(error) },
  })
  onTestFinished(async () => {
    await listening.close()
    await morango.close()
    await store.destroy()
  })
  const send: Served['send'] = async (method, path, body, headers = {}) =>
    await fetch(new URL(`api/morango/v1/${path}`, listening.url), {
      method,
      headers: {
        'content-type': 'application/json',
        'x-morango-capabilities': 'ASYNC_OPERATIONS',
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  const sessionRequest: Served['sessionRequest'] = async () => {
    const answer: unknown = await (await send('POST', 'nonces/', {})).json()
    const nonce = String(Reflect.get(Object(answer), 'id'))
    const id = crypto.randomUUID().replaceAll('-', '')
    return {
      id,
      nonce,
      server_certificate_id: root.certificate.id,
      client_certificate_id: root.certificate.id,
      profile: 'library',
      certificate_chain: JSON.stringify([certificateToItem(root.certificate)]),
      connection_path: 'http://peer/',
      instance: JSON.stringify({ id: ID }),
      client_ip: '',
      server_ip: '',
      signature: await createSigner().sign(root.privateKeyPem, `${nonce}:${id}`),
    }
  }
  return { root: root.certificate.id, send, failures, sessionRequest }
}

/** The same message with a NUL in one of its texts, for each of them and in three places. */
function withNul(message: Readonly<Record<string, unknown>>): [field: string, message: object][] {
  return Object.entries(message).flatMap(([field, value]) => {
    if (typeof value !== 'string') return []
    const middle = Math.floor(value.length / 2)
    const texts = [`\0${value}`, `${value.slice(0, middle)}\0${value.slice(middle)}`, `${value}\0`]
    return texts.map((text): [string, object] => [field, { ...message, [field]: text }])
  })
}

describe.each([
  ['SQLite', memorySqlite],
  [DATABASE, makeTestDatabase],
])('on %s a NUL is refused, never an error of the server', (_, make) => {
  async function expectRefused(
    served: Served,
    method: string,
    path: string,
    messages: Iterable<[string, object]>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<void> {
    for (const [field, message] of messages) {
      const response = await served.send(method, path, message, headers)
      expect([field, response.status, await response.text()]).toEqual([field, 400, expect.any(String)])
    }
    expect(served.failures).toEqual([])
  }

  test('in a sync session', async () => {
    const served = await serve(make)
    await expectRefused(served, 'POST', 'syncsessions/', withNul(await served.sessionRequest()))
  })

  test('in a transfer session, when it is made and when it is changed', async () => {
    const served = await serve(make)
    const session = await served.sessionRequest()
    expect((await served.send('POST', 'syncsessions/', session)).status).toBe(201)
    const transfer = {
      id: ID,
      filter: served.root,
      push: true,
      sync_session_id: session['id'],
      client_fsic: '{}',
      transfer_stage: 'initializing',
    }
    await expectRefused(served, 'POST', 'transfersessions/', withNul(transfer))
    await expectRefused(served, 'POST', 'transfersessions/', [
      // As JSON within JSON, where no NUL is seen before the inner text is parsed.
      ['client_fsic', { ...transfer, client_fsic: '{"\\u0000": 1}' }],
    ])
    expect((await served.send('POST', 'transfersessions/', transfer)).status).toBe(201)
    const patch = { transfer_stage: 'serializing', client_fsic: '{}' }
    await expectRefused(served, 'PATCH', `transfersessions/${ID}/`, withNul(patch))
  })

  test('in a signing request, and in who makes it', async () => {
    const served = await serve(make)
    const request = {
      parent: served.root,
      profile: 'library',
      scope_definition: 'owner',
      scope_version: 1,
      scope_params: JSON.stringify({ root: served.root, owner: 'u1' }),
      public_key: TEST_KEY_PAIR.publicKey,
    }
    const headers = { authorization: AUTHORIZATION }
    await expectRefused(served, 'POST', 'certificates/', withNul(request), headers)
    await expectRefused(
      served,
      'POST',
      'certificates/',
      [['scope_params', { ...request, scope_params: `{"root":"${served.root}","owner":"u\\u00001"}` }]],
      headers,
    )
    for (const name of ['ana\0', '\0']) {
      const response = await served.send('POST', 'certificates/', request, {
        authorization: `Basic ${btoa(`${name}:secret`)}`,
      })
      expect(response.status).toBeGreaterThanOrEqual(400)
      expect(response.status).toBeLessThan(500)
    }
    expect(served.failures).toEqual([])
    expect((await served.send('POST', 'certificates/', request, headers)).status).toBe(201)
  })

  test('in a pushed chain', async () => {
    const served = await serve(make)
    const { certificate_chain } = await served.sessionRequest()
    const [root]: object[] = JSON.parse(certificate_chain ?? '[]')
    const messages = withNul({ ...root, nonce: ID }).map(([field, message]): [string, object] => [
      field,
      [message],
    ])
    await expectRefused(served, 'POST', 'certificatechain/', messages)
  })

  test('in addresses', async () => {
    const served = await serve(make)
    for (const path of [
      'certificates/?primary_partition=%00',
      'certificates/?ancestors_of=%00',
      'certificates/?profile=a%00',
      `buffers/?transfer_session_id=${ID}%00&limit=1`,
    ]) {
      expect([path, (await served.send('GET', path)).status]).toEqual([path, 400])
    }
    for (const path of ['certificates/%00/', `syncsessions/${ID}%00/`, `transfersessions/%00${ID}/`]) {
      expect([path, (await served.send('GET', path)).status]).toEqual([path, 404])
    }
    expect(served.failures).toEqual([])
  })
})

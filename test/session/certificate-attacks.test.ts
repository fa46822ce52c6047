import { beforeEach, describe, expect, it, test } from 'vitest'
import { certificateText, certificateToItem } from '../../src/core/certificate.ts'
import type { Certificate, CertificateItem } from '../../src/core/certificate.ts'
import { createChildCertificate, createRootCertificate } from '../../src/core/certificate-create.ts'
import { certificateId } from '../../src/core/ids.ts'
import type { ScopeDefinition } from '../../src/core/scope.ts'
import { scope, toScopeDefinition } from '../../src/models/scope.ts'
import type { SigningRequest } from '../../src/protocol/messages.ts'
import type { Caller, Service } from '../../src/protocol/peer.ts'
import { errorAnswer } from '../../src/protocol/status.ts'
import type { CertificateWish } from '../../src/session/service.ts'
import { saveCertificate } from '../../src/storage/certificates.ts'
import { key, modulus } from '../crypto/rsa-der.ts'
import {
  ALL,
  JOINED,
  ROOT,
  SCOPES,
  createInstance,
  createLine,
  hex,
  keyPair,
  random,
  root,
  signer,
} from './support.ts'
import type { Instance } from './support.ts'

const caller: Caller = { ip: '10.0.0.1', serverIp: '10.0.0.2', capabilities: new Set(ALL) }
const credentials = { username: 'ann', password: 'x' }
const EXPONENT_ONE = key(modulus, [1])

let server: Instance
let wishes: CertificateWish[]
let service: Service

beforeEach(async () => {
  server = await createInstance('b')
  wishes = []
  service = server.service({
    capabilities: [...ALL, 'ALLOW_CERTIFICATE_PUSHING'],
    authorize: ({ password }, wish) => {
      wishes.push(wish)
      return password === 'x' ? true : 'unauthenticated'
    },
  })
})

async function answer(call: Promise<unknown>): Promise<{ status: number; body: unknown }> {
  try {
    return { status: 201, body: await call }
  } catch (error) {
    return errorAnswer(error)
  }
}

/** The ids of all certificates that the server knows. */
async function known(): Promise<string[]> {
  const rows = await server.db.selectFrom('morango_certificate').select('id').execute()
  return rows.map(({ id }) => id)
}

function request(change: Partial<SigningRequest> = {}): SigningRequest {
  return {
    parent: ROOT,
    profile: 'facilitydata',
    scope_definition: 'subcert',
    scope_version: 1,
    scope_params: JSON.stringify({ main: ROOT, sub: 'x' }),
    public_key: keyPair(2).publicKey,
    ...change,
  }
}

/** A certificate as somebody signs it who checks nothing. */
async function forge(
  parent: Certificate,
  parentKey: string,
  scopeParams: string,
  change: { publicKey?: string; salt?: string; scope?: string } = {},
): Promise<Certificate> {
  const { publicKey = keyPair(1).publicKey, salt = random.uuid(), scope = 'subcert' } = change
  const fields = {
    id: certificateId(publicKey, parent.profile, salt),
    parentId: parent.id,
    profile: parent.profile,
    salt,
    scopeDefinitionId: scope,
    scopeVersion: 1,
    scopeParams,
    publicKey,
  }
  const serialized = certificateText(fields)
  return { ...fields, serialized, signature: await signer.sign(parentKey, serialized) }
}

const PARAMS = JSON.stringify({ main: ROOT, sub: 'x' })

async function open(
  chain: readonly Certificate[],
  change: { signingKey?: string; nonce?: string } = {},
): Promise<{ status: number; body: unknown; id: string }> {
  const nonce = change.nonce ?? (await service.createNonce(caller)).id
  const id = random.uuid()
  const result = await answer(
    service.createSyncSession(
      {
        id,
        nonce,
        server_certificate_id: ROOT,
        client_certificate_id: chain.at(-1)?.id ?? '',
        profile: 'facilitydata',
        certificate_chain: chain.map(certificateToItem),
        connection_path: 'http://peer/',
        instance: '{}',
        client_ip: '',
        server_ip: '',
        signature: await signer.sign(change.signingKey ?? keyPair(1).privateKeyPem, `${nonce}:${id}`),
      },
      caller,
    ),
  )
  return { ...result, id }
}

describe('a signing request', () => {
  test.each([
    ['whitespace', `{"main": "${ROOT}\\n${ROOT}", "sub": "x"}`],
    ['whitespace of JavaScript only', `{"main": "${ROOT}", "sub": "x\\ufeff"}`],
    ['an empty value', `{"main": "${ROOT}", "sub": ""}`],
    ['a missing value', `{"main": "${ROOT}"}`],
    ['a list', `{"main": "${ROOT}", "sub": ["x"]}`],
    ['a name that stands twice', `{"main": "${ROOT}", "sub": "ann", "sub": "bob"}`],
    ['a prototype', `{"main": "${ROOT}", "sub": "x", "__proto__": {"user": "ann"}}`],
    ['another place', `{"main": "${ROOT}:bob", "sub": "x"}`],
  ])('with %s is refused, and authorize does not see it', async (_, scope_params) => {
    const wish = request({ scope_params })
    expect(await answer(service.requestCertificate(wish, credentials, caller))).toMatchObject({
      status: 400,
      body: { scope_params: [expect.any(String)] },
    })
    expect(wishes).toMatchObject([{ scopeParams: {}, scope: { read: [], write: [] } }])
    expect(wishes[0]?.isWithin(ROOT)).toBe(false)
    const stranger = { ...credentials, password: 'y' }
    expect(await answer(service.requestCertificate(wish, stranger, caller))).toMatchObject({ status: 401 })
    expect(await known()).toEqual([ROOT])
  })

  it('shows no parameter that the scope does not use', async () => {
    const scope_params = `{"main": "${ROOT}", "sub": "bob", "user": "ann"}`
    await service.requestCertificate(request({ scope_params }), credentials, caller)
    expect(wishes.map(({ scopeParams }) => scopeParams)).toEqual([{ main: ROOT, sub: 'bob' }])
  })

  it('is not permitted by an authorize that throws without parameters', async () => {
    const strict = server.service({
      authorize: (_, { scopeParams }) => String(scopeParams['sub']).length > 1 || Object(undefined).x.y,
    })
    const bad = request({ scope_params: `{"main": "${ROOT}", "sub": " "}` })
    expect(await answer(strict.requestCertificate(bad, credentials, caller))).toMatchObject({ status: 400 })
    expect(await answer(server.service().requestCertificate(bad, credentials, caller))).toMatchObject({
      status: 403,
    })
  })

  it('shows authorize the prefixes that come of it, and who asks', async () => {
    await service.requestCertificate(
      request({ scope_params: `{"main": "${ROOT}", "sub": 12}` }),
      credentials,
      caller,
    )
    expect(wishes).toMatchObject([
      {
        profile: 'facilitydata',
        scopeDefinition: 'subcert',
        scopeVersion: 1,
        scopeParams: { main: ROOT, sub: 12 },
        scope: { read: [`${ROOT}:shared`, `${ROOT}:12`], write: [`${ROOT}:12`] },
        parentId: ROOT,
        publicKey: keyPair(2).publicKey,
        address: '10.0.0.1',
      },
    ])
    expect(wishes[0]?.isWithin(`${ROOT}:1`)).toBe(false)
    expect(wishes[0]?.isWithin({ read: [`${ROOT}:shared`, `${ROOT}:12`], write: `${ROOT}:12` })).toBe(true)
  })

  it('is refused for a version of the scope that is not known here, and for a weak key', async () => {
    const status = async (change: Partial<SigningRequest>): Promise<number> =>
      (await answer(service.requestCertificate(request(change), credentials, caller))).status
    expect(await status({ scope_version: 2 })).toBe(400)
    expect(await status({ public_key: EXPONENT_ONE })).toBe(400)
    expect(await known()).toEqual([ROOT])
  })

  it('is not signed by a certificate whose own scope cannot be', async () => {
    const wide = await forge(
      root.certificate,
      root.privateKeyPem,
      JSON.stringify({ main: `${ROOT}\n${ROOT}`, sub: 'x' }),
    )
    await saveCertificate(server.db, wide, keyPair(1).privateKeyPem)
    const wish = request({ parent: wide.id, scope_params: PARAMS })
    expect(await answer(service.requestCertificate(wish, credentials, caller))).toMatchObject({ status: 403 })
  })
})

describe('a client chain', () => {
  it('is kept when all is right, and not before', async () => {
    const leaf = await forge(root.certificate, root.privateKeyPem, PARAMS)
    const chain = [root.certificate, leaf]
    expect((await open(chain, { signingKey: keyPair(2).privateKeyPem })).status).toBe(403)
    expect((await open(chain, { nonce: hex('e') })).body).toBe('Nonce is not valid')
    expect(await known()).toEqual([ROOT])
    expect((await open(chain)).status).toBe(201)
    expect((await known()).toSorted()).toEqual([ROOT, leaf.id].toSorted())
  })

  it('under another root is refused, and nothing of it is kept', async () => {
    const [definition] = SCOPES
    if (definition === undefined) throw new Error('no scopes')
    const foreign = await createRootCertificate({ signer, definition, keyPair: keyPair(1) })
    const result = await open([foreign.certificate])
    expect(result).toMatchObject({ status: 403, body: expect.stringContaining('root certificate') })
    expect(await known()).toEqual([ROOT])
  })

  it('is at most ten long, with what is known above it', async () => {
    const chain = [root.certificate]
    let parentKey = root.privateKeyPem
    for (let depth = 1; depth < 11; depth++) {
      const parent = chain.at(-1)
      if (parent === undefined) throw new Error('no parent')
      // oxlint-disable-next-line no-await-in-loop
      chain.push(await forge(parent, parentKey, JSON.stringify({ main: ROOT }), { scope: 'fullsub' }))
      parentKey = keyPair(1).privateKeyPem
    }
    expect((await open(chain)).status).toBe(403)
    expect((await open(chain.slice(0, 10))).status).toBe(201)
    expect((await open(chain.slice(9))).status).toBe(403)
    const tenth = chain[9]
    if (tenth === undefined) throw new Error('no tenth')
    await saveCertificate(server.db, tenth, keyPair(1).privateKeyPem)
    const below = request({ parent: tenth.id })
    expect(await answer(service.requestCertificate(below, credentials, caller))).toMatchObject({
      status: 400,
    })
  })

  test.each([
    ['parameters with whitespace', `{"main": "${ROOT} ${ROOT}", "sub": "x"}`, {}],
    ['an empty parameter', `{"main": "${ROOT}", "sub": ""}`, {}],
    ['a name twice', `{"main": "${ROOT}", "sub": "x", "sub": "y"}`, {}],
    ['a key with e = 1', PARAMS, { publicKey: EXPONENT_ONE }],
    ['a key in another spelling', PARAMS, { publicKey: `${keyPair(1).publicKey.slice(0, -4)}\nAQAB` }],
    ['a long salt', PARAMS, { salt: 'f'.repeat(33) }],
    ['a salt with NUL', PARAMS, { salt: 'f\u0000' }],
  ])('with %s is refused', async (_, params, change) => {
    const leaf = await forge(root.certificate, root.privateKeyPem, params, change)
    expect((await open([root.certificate, leaf])).status).toBe(403)
    expect(await known()).toEqual([ROOT])
  })

  it('has no certificate text in which a key stands twice, or that is very long', async () => {
    const leaf = await forge(root.certificate, root.privateKeyPem, PARAMS)
    const texts = [
      leaf.serialized.replace('"salt":', '"profile": "facilitydata", "salt":'),
      leaf.serialized.replace('"salt":', `"x": "${'x'.repeat(10_000)}", "salt":`),
    ]
    for (const serialized of texts) {
      // oxlint-disable-next-line no-await-in-loop
      const signature = await signer.sign(root.privateKeyPem, serialized)
      // oxlint-disable-next-line no-await-in-loop
      expect((await open([root.certificate, { ...leaf, serialized, signature }])).status).toBe(403)
    }
    expect(await known()).toEqual([ROOT])
  })
})

describe('a certificate that an earlier release has saved', () => {
  const wideParams = JSON.stringify({ main: `${ROOT}\n${ROOT}`, sub: 'x' })

  async function transferWith(certificate: Certificate): Promise<{ status: number; body: unknown }> {
    const leaf = await forge(root.certificate, root.privateKeyPem, PARAMS)
    const { id } = await open([root.certificate, leaf])
    await saveCertificate(server.db, certificate)
    await server.db
      .updateTable('morango_sync_session')
      .set({ client_certificate_id: certificate.id })
      .execute()
    const wanted = {
      id: random.uuid(),
      filter: `${ROOT}:x`,
      push: false,
      sync_session_id: id,
      client_fsic: '{}',
    }
    return answer(service.createTransferSession(wanted, caller))
  }

  it('is not used in a transfer, nor to open a session', async () => {
    const wide = await forge(root.certificate, root.privateKeyPem, wideParams)
    const refused = {
      status: 403,
      body: expect.stringContaining(`The certificate ${wide.id} cannot be used`),
    }
    expect(await transferWith(wide)).toMatchObject(refused)
    expect((await open([root.certificate, wide])).status).toBe(403)
  })

  it('spoils what is below it', async () => {
    const wide = await forge(root.certificate, root.privateKeyPem, wideParams)
    const below = await forge(wide, keyPair(1).privateKeyPem, PARAMS)
    await saveCertificate(server.db, wide)
    expect(await transferWith(below)).toMatchObject({ status: 403 })
    expect((await open([root.certificate, wide, below])).status).toBe(403)
  })

  it('does not keep others from being listed and chosen', async () => {
    const wide = await forge(root.certificate, root.privateKeyPem, wideParams)
    await saveCertificate(server.db, wide, keyPair(1).privateKeyPem)
    expect(await service.certificates({}, caller)).toHaveLength(2)
    const client = await createInstance('a')
    await saveCertificate(client.db, wide, keyPair(1).privateKeyPem)
    const report = await client.client().sync(createLine(service).peer, { direction: 'both', filter: ROOT })
    expect(report.transfers).toHaveLength(2)
  })
})

describe('the prefix by which a scope denies one way', () => {
  const definition = toScopeDefinition('facilitydata', 'subcert', scope({ read: '${main}' }))
  const find = (id: string): ScopeDefinition | undefined =>
    id === 'subcert' ? definition : SCOPES.find((one) => one.id === id)

  test.each([ALL, JOINED, []])('takes no push and gives no pull, with %j', async (...capabilities) => {
    service = server.service({ scopeDefinition: find })
    const leaf = await forge(root.certificate, root.privateKeyPem, JSON.stringify({ main: ROOT }))
    const { id } = await open([root.certificate, leaf])
    for (const push of [true, false]) {
      for (const filter of [`${ROOT}:(nothing)`, `${ROOT}:(nothing):a`]) {
        const wanted = { id: random.uuid(), filter, push, sync_session_id: id, client_fsic: '{}' }
        const from = { ...caller, capabilities: new Set(capabilities) }
        // oxlint-disable-next-line no-await-in-loop
        expect(await answer(service.createTransferSession(wanted, from))).toMatchObject({ status: 403 })
      }
    }
  })

  it('is not asked for by a client', async () => {
    const client = await createInstance('a')
    const wish = { direction: 'push', filter: `${ROOT}:(nothing)` } as const
    await expect(client.client().sync(createLine(service).peer, wish)).rejects.toMatchObject({
      code: 'unknown-certificate',
    })
  })
})

describe('a pushed chain', () => {
  async function push(change: { salt?: string; key?: string; params?: string } = {}): Promise<{
    status: number
    ids: string[]
  }> {
    const [definition] = SCOPES
    if (definition === undefined) throw new Error('no scopes')
    const fresh = await createRootCertificate({ signer, definition, keyPair: keyPair(1) })
    const id = fresh.certificate.id
    const last = await createChildCertificate({
      signer,
      parent: fresh.certificate,
      parentPrivateKeyPem: fresh.privateKeyPem,
      scopeDefinitionId: 'fullsub',
      scopeVersion: 1,
      scopeParams: change.params ?? JSON.stringify({ main: id }),
      publicKey: change.key ?? (await service.publicKey(caller)),
      salt: change.salt ?? (await service.createNonce(caller)).id,
    })
    const chain: CertificateItem[] = [fresh.certificate, last].map(certificateToItem)
    const { status } = await answer(service.pushCertificateChain(chain, caller))
    return { status, ids: [id, last.id] }
  }

  it('is kept whole or not at all', async () => {
    const shared = await service.publicKey(caller)
    const another = [keyPair(2), keyPair(3)].find(({ publicKey }) => publicKey !== shared)
    expect((await push({ key: another?.publicKey ?? '' })).status).toBe(400)
    expect((await push({ salt: hex('e') })).status).toBe(403)
    expect((await push({ params: JSON.stringify({ main: 'elsewhere' }) })).status).toBe(400)
    expect(await known()).toEqual([ROOT])
    const { status, ids } = await push()
    expect(status).toBe(201)
    expect((await known()).toSorted()).toEqual([ROOT, ...ids].toSorted())
  })
})

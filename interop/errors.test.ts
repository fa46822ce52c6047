import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSigner } from '../src/crypto/webcrypto-signer.ts'
import { type Cast, createCast } from './histories/cast.ts'
import { introduce } from './introduce.ts'
import { noPython, test } from './network.ts'
import { type Peer, PASSWORD, USERNAME } from './peer.ts'

/** One wrong request. */
interface Wrong {
  readonly name: string
  readonly method: string
  /** Below `api/morango/v1/`. */
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

interface Answer {
  readonly status: number
  readonly shape: string
}

/** What the requests are made of. */
interface Known {
  readonly dataset: string
  readonly publicKey: string
  readonly nonce: string
  /** A sync session that is open. */
  readonly session: string
  /** The certificate's, over a text. */
  readonly sign: (text: string) => Promise<string>
  readonly chain: string
}

const ID = 'e'.repeat(32)
const basic = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})
const ADMIN = basic(USERNAME, PASSWORD)
/** Where ours says more: the original takes no parent for a wish to be a root, and fails on that later. */
const SHAPES: Readonly<Record<string, string>> = {
  'with nothing in it': 'parent, profile, public_key, scope_definition, scope_params, scope_version',
}
/** A body of HTML. */
const PAGE = 'page'

async function wrongRequests(known: Known): Promise<Wrong[]> {
  const { dataset, nonce, session, sign, chain, publicKey } = known
  const request = {
    parent: dataset,
    profile: 'survey',
    scope_definition: 'full',
    scope_version: 1,
    scope_params: JSON.stringify({ dataset_id: dataset }),
    public_key: publicKey,
  }
  const opening = {
    id: 'd'.repeat(32),
    server_certificate_id: dataset,
    client_certificate_id: dataset,
    profile: 'survey',
    certificate_chain: chain,
    connection_path: 'http://127.0.0.1/',
    instance: '{}',
    nonce,
    client_ip: '',
    server_ip: '',
    signature: await sign(`${nonce}:${'d'.repeat(32)}`),
  }
  const transfer = { id: ID, filter: dataset, push: false, sync_session_id: session, client_fsic: '{}' }
  const post = (name: string, path: string, body: unknown, more: Partial<Wrong> = {}): Wrong => ({
    name,
    method: 'POST',
    path,
    body,
    ...more,
  })
  const get = (name: string, path: string, more: Partial<Wrong> = {}): Wrong => ({
    name,
    method: 'GET',
    path,
    ...more,
  })
  return [
    get('no slash at the end', 'morangoinfo/1'),
    get('no such resource', 'nosuch/'),
    get('nonces cannot be listed', 'nonces/'),
    get('certificates of an unknown root', `certificates/?primary_partition=${ID}`),
    get('ancestors of an unknown certificate', `certificates/?ancestors_of=${ID}`),
    get('an unknown certificate', `certificates/${ID}/`),
    post('a signing request without credentials', 'certificates/', request),
    post('with a wrong password', 'certificates/', request, { headers: basic(USERNAME, 'wrong') }),
    post('by an unknown user', 'certificates/', request, { headers: basic('who', PASSWORD) }),
    post('by a user who may not', 'certificates/', request, { headers: basic('nobody', PASSWORD) }),
    post('with nothing in it', 'certificates/', {}, { headers: ADMIN }),
    post('for an unknown scope', 'certificates/', { ...request, scope_definition: 'no' }, { headers: ADMIN }),
    post('below an unknown one', 'certificates/', { ...request, parent: ID }, { headers: ADMIN }),
    post(
      'for a wider scope',
      'certificates/',
      { ...request, scope_params: JSON.stringify({ dataset_id: ID }) },
      { headers: ADMIN },
    ),
    post('that is no JSON', 'certificates/', '{"', {
      headers: { ...ADMIN, 'content-type': 'application/json' },
    }),
    post('of an unknown content type', 'certificates/', 'x', {
      headers: { ...ADMIN, 'content-type': 'text/csv' },
    }),
    get('the shared key, where pushing is off', 'publickey/'),
    post('a chain that is none', 'certificatechain/', '"[]"'),
    post('a sync session of nothing', 'syncsessions/', {}),
    post('with a chain of another certificate', 'syncsessions/', { ...opening, client_certificate_id: ID }),
    post('with an unknown server certificate', 'syncsessions/', { ...opening, server_certificate_id: ID }),
    post('with a wrong signature', 'syncsessions/', { ...opening, signature: 'AAAA' }),
    post('with an unknown nonce', 'syncsessions/', {
      ...opening,
      nonce: ID,
      signature: await sign(`${ID}:${opening.id}`),
    }),
    get('an unknown sync session', `syncsessions/${ID}/`),
    { name: 'changing a sync session', method: 'PATCH', path: `syncsessions/${session}/`, body: {} },
    post('a transfer of an unknown sync session', 'transfersessions/', { ...transfer, sync_session_id: ID }),
    post('outside of the scope', 'transfersessions/', { ...transfer, filter: ID }),
    post('without a filter', 'transfersessions/', { ...transfer, filter: '' }),
    get('an unknown transfer', `transfersessions/${ID}/`),
    { name: 'patching an unknown transfer', method: 'PATCH', path: `transfersessions/${ID}/`, body: {} },
    { name: 'deleting an unknown transfer', method: 'DELETE', path: `transfersessions/${ID}/` },
    { name: 'replacing a transfer', method: 'PUT', path: `transfersessions/${ID}/`, body: {} },
    get('buffers of an unknown transfer', `buffers/?limit=1&offset=0&transfer_session_id=${ID}`),
    get('buffers of no transfer', 'buffers/?limit=1&offset=0'),
    post('buffers of two transfers', 'buffers/', [{ transfer_session: ID }, { transfer_session: dataset }]),
    post('gzip that is none', 'buffers/', 'x', { headers: { 'content-type': 'application/gzip' } }),
  ]
}

async function ask(url: string, { method, path, body, headers }: Wrong): Promise<Answer> {
  const answer = await fetch(`${url}api/morango/v1/${path}`, {
    method,
    redirect: 'manual',
    headers: {
      accept: 'application/json',
      'x-morango-capabilities': 'ASYNC_OPERATIONS FSIC_V2_FORMAT GZIP_BUFFER_POST',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return { status: answer.status, shape: shapeOf(await answer.text(), answer.status) }
}

/** What is in a body, without its words: those of ours are ours where they are not known to be read. */
function shapeOf(text: string, status: number): string {
  if (status >= 300 && status < 400) return ''
  if (text.trimStart().startsWith('<')) return PAGE
  if (text === '') return 'nothing'
  const body: unknown = JSON.parse(text)
  if (typeof body === 'string') return 'a text'
  if (Array.isArray(body)) return body.length === 0 ? 'an empty list' : `a list of ${typeof body[0]}`
  if (typeof body !== 'object' || body === null) return typeof body
  const { error_class: name }: { error_class?: unknown } = { ...body }
  return `${Object.keys(body).toSorted().join(', ')}${typeof name === 'string' ? ` ${name}` : ''}`
}

describe.skipIf(noPython)('what is answered to wrong requests', () => {
  let cast: Cast
  let peers: Peer[] = []
  const signer = createSigner()

  beforeAll(async () => {
    cast = await createCast()
    peers = await cast.peers(0, ['all', 'all'], [false, true])
  })
  afterAll(() => cast.close())

  async function learn({ url }: Peer): Promise<Known> {
    const { dataset } = cast
    const post = async (path: string, body?: unknown): Promise<{ readonly id: string }> => {
      const answer = await fetch(`${url}api/morango/v1/${path}`, {
        method: 'POST',
        ...(body !== undefined && {
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        }),
      })
      return JSON.parse(await answer.text())
    }
    const sign = (text: string): Promise<string> => signer.sign(cast.rootKey, text)
    const found = await fetch(`${url}api/morango/v1/certificates/?ancestors_of=${dataset}`)
    const chain = JSON.stringify(await found.json())
    const { id: nonce } = await post('nonces/')
    const session = 'c'.repeat(32)
    await post('syncsessions/', {
      id: session,
      server_certificate_id: dataset,
      client_certificate_id: dataset,
      profile: 'survey',
      certificate_chain: chain,
      connection_path: url,
      instance: '{}',
      nonce,
      client_ip: '',
      server_ip: '',
      signature: await sign(`${nonce}:${session}`),
    })
    return { dataset, publicKey: cast.rootPublicKey, session, sign, chain, nonce: (await post('nonces/')).id }
  }

  async function answersOf(peer: Peer): Promise<Map<string, Answer>> {
    const answers = new Map<string, Answer>()
    for (const wrong of await wrongRequests(await learn(peer))) {
      // One after the other: some of them follow from those before.
      // oxlint-disable-next-line no-await-in-loop
      answers.set(wrong.name, await ask(peer.url, wrong))
    }
    return answers
  }

  it('by our server is what the original answers', async () => {
    const [theirs, ours] = await Promise.all(peers.map(answersOf))
    const differing = [...(theirs ?? [])].flatMap(([name, expected]) => {
      const answer = ours?.get(name)
      if (answer === undefined) return [`${name}: no answer`]
      const isSame = answer.status === expected.status && answer.shape === (SHAPES[name] ?? expected.shape)
      // Where it answers with a page of HTML, 500 mostly, ours says in JSON what was wrong (docs/protocol.md).
      const isBetter =
        expected.shape === PAGE && answer.shape !== PAGE && /^4\d\d$/.test(String(answer.status))
      return isSame || isBetter ? [] : [`${name}: ${JSON.stringify({ expected, answer })}`]
    })
    expect(differing).toEqual([])
    expect(ours?.size).toBe(theirs?.size)
  })
})

describe.skipIf(noPython)('errors of the original are explained', () => {
  test('nobody has made its shared key', async ({ network }) => {
    const ours = await network.ours({ allowCertificatePushing: true })
    const python = await network.python({ pushing: true, noSharedKey: true })
    const dataset = await ours.root({ scope: 'full' })
    const pushing = ours.push({
      url: python.url,
      parent: dataset,
      scope: 'full',
      params: { dataset_id: dataset },
    })
    await expect(pushing).rejects.toThrow('The peer has no key yet for certificates pushed to it')
  })

  test('a transfer outside of the scope, an unknown scope, wrong credentials', async ({ network }) => {
    const [ours, python] = [await network.ours(), await network.python()]
    const { dataset } = await introduce(ours, python)
    const wish = {
      url: python.url,
      dataset,
      scope: 'full',
      params: { dataset_id: dataset },
      username: USERNAME,
      password: 'wrong',
    }
    await expect(ours.request(wish)).rejects.toThrow(/^The peer did not accept the credentials \(401\)/)
    const wider = { ...wish, password: PASSWORD, params: { dataset_id: ID } }
    await expect(ours.request(wider)).rejects.toThrow(/\(400\): CertificateScopeNotSubset/)
    const denied = { ...wish, password: PASSWORD, username: 'nobody' }
    await expect(ours.request(denied)).rejects.toThrow(/^The peer refuses \(403\)/)
  })
})

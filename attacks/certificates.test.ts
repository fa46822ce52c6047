import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { certificateId } from '../src/core/ids.ts'
import { key, modulus } from '../test/crypto/rsa-der.ts'
import { certificateToItem } from '../src/core/certificate.ts'
import { type Attacker, hex, letters, selfMade } from './attacker.ts'
import { type Attempt, type Attempts, describeAttempts, type Outcome } from './attempts.ts'
import { keyPair, signer } from './keys.ts'
import type { Answer } from './wire.ts'
import type { World } from './world.ts'

type Params = (world: World) => string

/** A signing request of Ann's with these scope parameters. */
function asksFor(name: string, params: Params, more: Readonly<Record<string, unknown>> = {}): Attempt {
  return {
    name: `asks for ${name}`,
    as: 'ann',
    run: (attacker, world) => attacker.request({ scope_params: params(world), ...more }),
    outcome: 'refused',
  }
}

const json =
  (params: (world: World) => Readonly<Record<string, unknown>>): Params =>
  (world) =>
    JSON.stringify(params(world))

const WHITESPACE: Readonly<Record<string, string>> = {
  'a line feed': '\n',
  'a carriage return': '\r',
  'a tab': '\t',
  'a space': ' ',
  'a vertical tab': '\v',
  'a form feed': '\f',
  'a file separator': '\u001c',
  'a unit separator': '\u001f',
  'a next line': '\u0085',
  'a no-break space': '\u00a0',
  'an ogham space': '\u1680',
  'an em space': '\u2003',
  'a line separator': '\u2028',
  'a paragraph separator': '\u2029',
  'an ideographic space': '\u3000',
  'a byte order mark': '\ufeff',
}

const UNSEEN: Readonly<Record<string, string>> = {
  NUL: '\0',
  'a backspace': '\b',
  'a delete': '\u007f',
  'a right-to-left override': '\u202e',
  'a left-to-right isolate': '\u2066',
  'a zero-width space': '\u200b',
  'a zero-width joiner': '\u200d',
  'a soft hyphen': '\u00ad',
  'a lone surrogate': '\ud800',
  'a tag character': '\u{e0041}',
}

const scopeParameters: readonly Attempt[] = [
  ...Object.entries(WHITESPACE).map(([what, blank]) =>
    asksFor(
      `a dataset that is two by ${what}`,
      json(({ root, ann }) => ({ dataset_id: `${root}${blank}${root}`, person_id: ann })),
    ),
  ),
  ...Object.entries(WHITESPACE).map(([what, blank]) =>
    asksFor(
      `a person after whom ${what} and the whole follows`,
      json(({ root, ann }) => ({ dataset_id: root, person_id: `${ann}${blank}${root}` })),
    ),
  ),
  ...Object.entries(UNSEEN).map(([what, unseen]) =>
    asksFor(
      `a person with ${what}`,
      json(({ root, ann }) => ({ dataset_id: root, person_id: `${ann}${unseen}` })),
    ),
  ),
  ...(
    [
      ['an empty person', ''],
      ['a person that is a colon', ':'],
      ['a number for a person', 7],
      ['a fraction for a person', 1.5],
      ['true for a person', true],
      ['null for a person', null],
      ['a list of persons', ['x']],
      ['an object for a person', { toString: 'x' }],
      ['everybody, by a placeholder', '${dataset_id}'],
      ['everybody, by %', '%'],
      ['everybody, by a wildcard', '*'],
      ['a person of 200 characters', 'x'.repeat(200)],
      ['a person of 100,000 characters', 'x'.repeat(100_000)],
    ] as const
  ).map(([what, value]) =>
    asksFor(
      what,
      json(({ root }) => ({ dataset_id: root, person_id: value })),
    ),
  ),
  asksFor(
    'the other user',
    json(({ root, bob }) => ({ dataset_id: root, person_id: bob })),
  ),
  asksFor(
    'the beginning of her own id, which others share',
    json(({ root, ann }) => ({ dataset_id: root, person_id: ann.slice(0, 1) })),
  ),
  asksFor(
    'the beginning of her own id but for a digit',
    json(({ root, ann }) => ({ dataset_id: root, person_id: ann.slice(0, -1) })),
  ),
  asksFor(
    'no person',
    json(({ root }) => ({ dataset_id: root })),
  ),
  asksFor('nothing at all', () => '{}'),
  asksFor('a list of parameters', () => '[]'),
  asksFor('parameters that are no JSON', () => 'dataset_id=1'),
  asksFor('parameters that are empty', () => ''),
  asksFor('parameters that are null', () => 'null'),
  asksFor(
    'herself, then Bob',
    ({ root, ann, bob }) => `{"dataset_id": "${root}", "person_id": "${ann}", "person_id": "${bob}"}`,
  ),
  asksFor(
    'Bob, then herself',
    ({ root, ann, bob }) => `{"dataset_id": "${root}", "person_id": "${bob}", "person_id": "${ann}"}`,
  ),
  asksFor(
    'herself, then Bob under an escaped name',
    ({ root, ann, bob }) => `{"dataset_id": "${root}", "person_id": "${ann}", "person\\u005fid": "${bob}"}`,
  ),
  asksFor(
    'Bob by a prototype',
    ({ root, bob }) => `{"dataset_id": "${root}", "__proto__": {"person_id": "${bob}"}}`,
  ),
  asksFor(
    'Bob by the dataset',
    json(({ root, ann, bob }) => ({ dataset_id: `${root}:user:${bob}`, person_id: ann })),
  ),
  asksFor(
    'the dataset in capitals',
    json(({ root, ann }) => ({ dataset_id: root.toUpperCase(), person_id: ann })),
  ),
  asksFor(
    "another owner's dataset",
    json(({ other, ann }) => ({ dataset_id: other, person_id: ann })),
  ),
  asksFor(
    'her own under another owner',
    json(({ root, ann }) => ({ dataset_id: root, person_id: ann })),
    {
      parent: letters('a'),
    },
  ),
  asksFor(
    'another kind of certificate',
    json(({ root }) => ({ dataset_id: root })),
    { scope_definition: 'full' },
  ),
  asksFor(
    'a kind that is not known',
    json(({ root }) => ({ dataset_id: root })),
    { scope_definition: 'constructor' },
  ),
  ...(
    [
      ['version 2', { scope_version: 2 }],
      ['version 1.5', { scope_version: 1.5 }],
      ['another profile', { profile: 'surveyor' }],
      ['a profile that is a number', { profile: 7 }],
      ['a parent that is a list', { parent: [] }],
      ['parameters that are no text', { scope_params: { dataset_id: 'x' } }],
    ] as const
  ).map(([what, more]) =>
    asksFor(
      what,
      json(({ root, ann }) => ({ dataset_id: root, person_id: ann })),
      more,
    ),
  ),
]

const signIn: readonly Attempt[] = (
  [
    ['without a password', 'ann:'],
    ['without a name', ':ann'],
    ['with nothing', ':'],
    ['with a name of the language', 'constructor:x'],
    ['with a prototype', '__proto__:x'],
    ['with two names', 'username=ann&username=admin:ann'],
    ['with the name of another, then her own', 'username=admin&x=ann:ann'],
    ['with a long name', `${'x'.repeat(4000)}:x`],
    ['with control characters', 'ann\0:ann\n'],
  ] as const
).map(([what, credentials]) => ({
  name: `signs in ${what}`,
  as: 'nobody' as const,
  run: (attacker: Attacker, { root }: World) =>
    attacker.request(
      { scope_definition: 'full', scope_params: JSON.stringify({ dataset_id: root }) },
      credentials,
    ),
  outcome: 'refused' as const,
}))

/** Opens a session with a chain that was made up. */
function opens(
  name: string,
  as: Attempt['as'],
  run: (attacker: Attacker, world: World) => Promise<Answer | readonly Answer[]>,
  outcome: Outcome = 'refused',
): Attempt {
  return { name, as, run, outcome }
}

async function openBelow(attacker: Attacker, forgery: Parameters<Attacker['below']>[0]): Promise<Answer> {
  const { certificate, key: own } = await attacker.below(forgery)
  return await attacker.open({
    chain: [...attacker.chain, certificateToItem(certificate)],
    signWith: own.privateKeyPem,
  })
}

const everything: Params = ({ root }) => JSON.stringify({ dataset_id: root })

/** Weak keys, in the form that they travel in. */
function rsa(bits: number): string {
  const made = generateKeyPairSync('rsa', { modulusLength: bits })
  return createPublicKey(made.privateKey).export({ type: 'pkcs1', format: 'der' }).toString('base64')
}

const WEAK: readonly (readonly [name: string, text: () => string])[] = [
  ['the exponent 1', () => key(modulus, [1])],
  ['the exponent 3', () => key(modulus, [3])],
  ['an even exponent', () => key(modulus, [1, 0, 0])],
  ['512 bits', () => rsa(512)],
  ['1024 bits', () => rsa(1024)],
  ['a modulus of one', () => key([1], [1, 0, 1])],
  ['nothing in it', () => ''],
  ['no key', () => 'bm8ga2V5'],
  ['a megabyte', () => 'A'.repeat(1 << 20)],
]

const chains: readonly Attempt[] = [
  opens('signs a certificate for everything', 'sampler', (a, world) =>
    openBelow(a, { scope: 'full', params: everything(world) }),
  ),
  opens('signs one for the other user', 'ann', (a, { root, bob }) =>
    openBelow(a, { params: JSON.stringify({ dataset_id: root, person_id: bob }) }),
  ),
  opens('signs one for writing', 'reader', (a, world) =>
    openBelow(a, { scope: 'sampler', params: everything(world) }),
  ),
  opens('signs one for reading', 'writer', (a, world) =>
    openBelow(a, { scope: 'reader', params: everything(world) }),
  ),
  opens('signs one for the other dataset', 'sampler', (a, { other }) =>
    openBelow(a, { params: JSON.stringify({ dataset_id: other }) }),
  ),
  opens('signs one whose parameters have a line feed', 'sampler', (a, { root }) =>
    openBelow(a, { params: JSON.stringify({ dataset_id: `${root}\n${root}` }) }),
  ),
  opens('signs one without the parameter', 'sampler', (a) => openBelow(a, { params: '{}' })),
  opens('signs one of an unknown kind', 'sampler', (a) => openBelow(a, { scope: 'toString' })),
  opens('signs one of another profile', 'sampler', (a) => openBelow(a, { profile: 'other' })),
  opens('signs one with an id of its choice', 'sampler', (a) => openBelow(a, { id: hex() })),
  opens("signs one with the root's id", 'sampler', (a, { root }) => openBelow(a, { id: root })),
  opens('says that the root signed it', 'sampler', async (a, world) => {
    const { certificate, key: own } = await a.below({
      scope: 'full',
      params: everything(world),
      parentId: world.root,
    })
    const [root] = a.chain
    const chain = root === undefined ? [] : [root, certificateToItem(certificate)]
    return await a.open({ chain, signWith: own.privateKeyPem })
  }),
  opens('signs one with another key', 'sampler', (a) => openBelow(a, { signedBy: keyPair(0).privateKeyPem })),
  opens('gives an empty signature', 'sampler', (a) => openBelow(a, { signature: '' })),
  opens('gives the signature of the parent', 'sampler', (a) =>
    openBelow(a, { signature: a.held.certificate.signature }),
  ),
  // Of a certificate that is known here the text that comes again is not read: it is as it was.
  opens('changes a certificate that is known, and pulls by it', 'ann', async (a, { root, ann, bob }) => {
    const forged = certificateToItem(a.held.certificate)
    const serialized = forged.serialized.replaceAll(ann, bob)
    const { id } = await a.open({ chain: [...a.chain.slice(0, -1), { ...forged, serialized }] })
    return await a.pull({ session: id, filter: `${root}:user:${bob}` })
  }),
  opens('changes a certificate that is not known', 'ann', async (a, { ann, bob }) => {
    const { certificate, key: own } = await a.below()
    const serialized = certificate.serialized.replaceAll(ann, bob)
    return await a.open({
      chain: [...a.chain, certificateToItem({ ...certificate, serialized })],
      signWith: own.privateKeyPem,
    })
  }),
  opens('adds a space to a certificate that is not known', 'ann', async (a) => {
    const { certificate, key: own } = await a.below()
    const serialized = `${certificate.serialized} `
    return await a.open({
      chain: [...a.chain, certificateToItem({ ...certificate, serialized })],
      signWith: own.privateKeyPem,
    })
  }),
  opens('names a key twice in a certificate', 'sampler', (a, { root }) =>
    openBelow(a, {
      text: (text) => text.replace(/\}$/u, `, "scope_params": "{\\"dataset_id\\": \\"${root}\\"}"}`),
    }),
  ),
  opens(
    'leaves out its parents',
    'sampler',
    (a) => a.open({ chain: a.chain.slice(-1), signWith: a.held.key.privateKeyPem }),
    [201, 403],
  ),
  opens('sends its chain upside down', 'sampler', (a) => a.open({ chain: a.chain.toReversed() })),
  opens('sends its chain twice, and pulls what is above', 'sampler', async (a, { root }) => {
    const { id } = await a.open({ chain: [...a.chain, ...a.chain] })
    return await a.pull({ session: id, filter: root })
  }),
  opens('sends no chain', 'sampler', (a) =>
    a.open({ chain: [], client_certificate_id: a.held.certificate.id }),
  ),
  opens('sends a chain that is no list', 'sampler', (a) => a.open({ certificate_chain: '{"0": {}}' })),
  opens('sends a chain that is null', 'sampler', (a) => a.open({ certificate_chain: 'null' })),
  opens('sends a chain of a thousand', 'sampler', (a) =>
    a.open({ chain: Array.from({ length: 1000 }, () => certificateToItem(a.held.certificate)) }),
  ),
  opens('sends eleven certificates in a row', 'sampler', async (a) => {
    const chain = [...a.chain]
    let parent = { certificate: a.held.certificate, key: a.held.key }
    for (let depth = chain.length; depth < 11; depth++) {
      // oxlint-disable-next-line no-await-in-loop
      parent = await a.below({}, parent)
      chain.push(certificateToItem(parent.certificate))
    }
    return await a.open({ chain, signWith: parent.key.privateKeyPem })
  }),
  opens('makes a root of its own', 'nobody', (a) => a.open()),
  opens('makes a root of its own, and signs for this dataset', 'nobody', async (a, world) =>
    openBelow(a, { scope: 'full', params: everything(world) }),
  ),
  opens('puts a root of its own above', 'sampler', async (a, world) => {
    const root = await selfMade(keyPair(0))
    const { certificate, key: own } = await a.below({ scope: 'full', params: everything(world) }, root)
    return await a.open({
      chain: [certificateToItem(root.certificate), certificateToItem(certificate)],
      signWith: own.privateKeyPem,
    })
  }),
  opens("uses another owner's certificate for this dataset", 'bee', (a, { root }) =>
    a.open({ server_certificate_id: root }),
  ),
  opens("addresses another owner's certificate", 'sampler', (a, { other }) =>
    a.open({ server_certificate_id: other }),
  ),
  opens('addresses its own certificate', 'sampler', (a) =>
    a.open({ server_certificate_id: a.held.certificate.id }),
  ),
  opens("shows the server's own certificate as its own", 'sampler', (a, { root }) =>
    a.open({ chain: a.chain.slice(0, 1), client_certificate_id: root }),
  ),
  ...WEAK.map(([what, text]) =>
    opens(`asks for a certificate of a key with ${what}`, 'sampler', (a) =>
      a.request({ public_key: text() }),
    ),
  ),
  ...WEAK.map(([what, text]) =>
    opens(`signs one of a key with ${what}`, 'sampler', async (a) => {
      const publicKey = text()
      const salt = hex()
      return await openBelow(a, { publicKey, salt, id: certificateId(publicKey, 'survey', salt) })
    }),
  ),
]

const pushed: readonly Attempt[] = [
  opens('pushes a chain with a key of its own', 'sampler', async (a) => {
    const { certificate } = await a.below({ salt: await a.nonce() })
    const body = JSON.stringify([...a.chain, certificateToItem(certificate)])
    return await a.send({ method: 'POST', path: 'certificatechain/', body: JSON.stringify(body) })
  }),
  opens('pushes a chain for everything to the shared key', 'sampler', async (a, world) => {
    const { text } = await a.send({ path: 'publickey/' })
    const [{ public_key: publicKey }]: [{ public_key: string }] = JSON.parse(text)
    const salt = await a.nonce()
    const { certificate } = await a.below({ publicKey, salt, scope: 'full', params: everything(world) })
    const body = JSON.stringify([...a.chain, certificateToItem(certificate)])
    return await a.send({ method: 'POST', path: 'certificatechain/', body: JSON.stringify(body) })
  }),
  opens('pushes a chain to the shared key without a nonce', 'sampler', async (a) => {
    const { text } = await a.send({ path: 'publickey/' })
    const [{ public_key: publicKey }]: [{ public_key: string }] = JSON.parse(text)
    const { certificate } = await a.below({ publicKey })
    const body = JSON.stringify([...a.chain, certificateToItem(certificate)])
    return await a.send({ method: 'POST', path: 'certificatechain/', body: JSON.stringify(body) })
  }),
  opens('pushes a chain that is no text', 'nobody', (a) =>
    a.send({ method: 'POST', path: 'certificatechain/', body: { chain: [] } }),
  ),
]

const sessions: readonly Attempt[] = [
  opens('uses a nonce twice', 'sampler', async (a) => {
    const nonce = await a.nonce()
    await a.open({ nonce })
    return await a.open({ nonce })
  }),
  opens('uses a nonce that nobody gave', 'sampler', (a) => a.open({ nonce: hex() })),
  opens('uses an empty nonce', 'sampler', (a) => a.open({ nonce: '' })),
  opens('uses a nonce in capitals', 'sampler', async (a) =>
    a.open({ nonce: (await a.nonce()).toUpperCase() }),
  ),
  opens('uses a nonce that is stale', 'sampler', async (a, { kysely }) => {
    const nonce = await a.nonce()
    const old = new Date(Date.now() - 61_000).toISOString()
    await kysely.updateTable('morango_nonce').set({ created_at: old }).where('id', '=', nonce).execute()
    return await a.open({ nonce })
  }),
  opens('uses a nonce of the future', 'sampler', async (a, { kysely }) => {
    const nonce = await a.nonce()
    const later = new Date(Date.now() + 3_600_000).toISOString()
    await kysely.updateTable('morango_nonce').set({ created_at: later }).where('id', '=', nonce).execute()
    return await a.open({ nonce })
  }),
  opens('sends the same request again', 'sampler', async (a) => {
    const nonce = await a.nonce()
    const id = hex()
    const signature = await signer.sign(a.held.key.privateKeyPem, `${nonce}:${id}`)
    await a.open({ nonce, id, signature })
    return await a.open({ nonce, id, signature })
  }),
  opens('signs another text', 'sampler', (a) => a.open({ signed: (nonce) => nonce })),
  opens('signs for another session', 'sampler', (a) =>
    a.open({ signed: (nonce) => `${nonce}:${letters('a')}` }),
  ),
  opens('signs with another key', 'sampler', (a) => a.open({ signWith: keyPair(0).privateKeyPem })),
  opens('gives an empty signature of a session', 'sampler', (a) => a.open({ signature: '' })),
  opens('names a certificate that is not the last of its chain', 'sampler', (a, { root }) =>
    a.open({ client_certificate_id: root }),
  ),
  opens('takes the id of a session that is there', 'sampler', async (a) => a.open({ id: await a.session() })),
  opens('names an id that is none', 'sampler', (a) => a.open({ id: "' or 1=1 --" })),
  opens('describes itself in a megabyte', 'sampler', (a) => a.open({ instance: `"${'x'.repeat(1 << 20)}"` })),
  opens(
    'describes itself as a prototype',
    'sampler',
    (a) => a.open({ instance: '{"__proto__": {"id": 1}}' }),
    [201, 400],
  ),
  opens(
    'says that it is the server',
    'sampler',
    async (a, { morango }) => {
      const { id } = (await morango.status()).instance
      return await a.open({ instance: JSON.stringify({ id }) })
    },
    'harmless',
  ),
  opens('closes a session that it does not know', 'sampler', (a) =>
    a.send({ method: 'DELETE', path: `syncsessions/${letters('0')}/` }),
  ),
  ...(['', '%', '_', '*', "' or '1'='1", '%00', '..', '__proto__', 'x'.repeat(3000)] as const).map((id) =>
    opens(`closes the session "${id.slice(0, 20)}"`, 'nobody', (a) =>
      a.send({ method: 'DELETE', path: `syncsessions/${encodeURIComponent(id)}/` }),
    ),
  ),
  opens('lists sessions', 'nobody', (a) => a.send({ path: 'syncsessions/' })),
  opens('lists transfers', 'nobody', (a) => a.send({ path: 'transfersessions/' })),
  opens('looks at every page of buffers', 'nobody', (a) => a.send({ path: 'buffers/' })),
  opens('looks at buffers of a pattern', 'nobody', (a) =>
    a.send({ path: 'buffers/?transfer_session_id=%25&limit=10' }),
  ),
  opens(
    'asks for certificates of everything',
    'nobody',
    async (a) => {
      const answers = [
        await a.send({ path: 'certificates/' }),
        await a.send({ path: 'certificates/?primary_partition=%25' }),
        await a.send({ path: 'certificates/?ancestors_of=' }),
        await a.send({ path: "certificates/?profile='%20or%201=1" }),
      ]
      if (answers.some(({ text }) => text.includes('PRIVATE'))) throw new Error('A private key was given.')
      return answers[0] ?? []
    },
    [200],
  ),
]

const kinds: Attempts = {
  'scope parameters': scopeParameters,
  'signing in': signIn,
  chains,
  'pushed chains': pushed,
  sessions,
}

describeAttempts('certificates and sessions', kinds)

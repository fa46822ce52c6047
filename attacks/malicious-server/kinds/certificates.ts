import type { Certificate } from '../../../src/core/certificate.ts'
import { certificateId } from '../../../src/core/ids.ts'
import { pythonStringify } from '../../../src/core/python-json.ts'
import { key, modulus } from '../../../test/crypto/rsa-der.ts'
import type { Attempt, Kind, Outcome } from '../attempt.ts'
import { CERTIFICATE_CODES, foreign, items, request, ROOT, sign } from '../forged-certificates.ts'
import { instead, json, type Tamper } from '../layer.ts'
import type { Scene } from '../scene.ts'
import { keys, root } from '../world.ts'

const NOTHING_TO_SYNC_WITH: Outcome = { fails: ['unknown-certificate', 'peer-protocol'] }

/** A server that offers the last of these, with the others above it. */
function offering(...chain: readonly Certificate[]): Tamper {
  return offeringItems(items(...chain))
}

function offeringItems(chain: readonly unknown[], offered: readonly unknown[] = chain.slice(-1)): Tamper {
  return instead('GET certificates', ({ url }) =>
    json(url.searchParams.has('ancestors_of') ? chain : offered),
  )
}

/** What each server offers to a client that wants to sync, or asks for a certificate. */
const OFFERS: readonly (readonly [string, (scene: Scene) => Promise<Tamper>])[] = [
  ['of a foreign root', async () => offering(foreign.certificate)],
  [
    'below a foreign root',
    async () => {
      const parentId = foreign.certificate.id
      return offering(foreign.certificate, await sign({ parentId }, foreign.privateKeyPem))
    },
  ],
  [
    'below the root, signed by a foreign key',
    async () => offering(root.certificate, await sign({}, keys.foreign.privateKeyPem)),
  ],
  [
    'whose chain leads to another',
    async () => offeringItems(items(root.certificate, await sign()), items(await sign())),
  ],
  [
    'whose chain is of a foreign root',
    async () => offeringItems(items(foreign.certificate), items(await sign())),
  ],
  ['without a chain', async () => offeringItems([], items(await sign()))],
  ['whose chain lacks the root', async () => offering(await sign())],
  [
    'whose chain is upside down',
    async () => offeringItems(items(await sign(), root.certificate), items(await sign())),
  ],
  [
    'whose chain is that of the client',
    async ({ world }) => {
      const own = await world.client.database.kysely.selectFrom('morango_certificate').selectAll().execute()
      return offeringItems(
        own.map(({ id, serialized, signature }) => ({ id, serialized, signature })),
        items(await sign()),
      )
    },
  ],
  ['with a chain of 400', async () => offering(...(await chainOf(400)))],
  ['with a chain of eleven', async () => offering(...(await chainOf(11)))],
  [
    'in a circle',
    async () => {
      const [salt, other] = ['c'.repeat(32), 'd'.repeat(32)]
      const ids = [salt, other].map((one) => certificateId(keys.server.publicKey, 'library', one))
      const first = await sign({ salt, parentId: ids[1] ?? '' }, keys.server.privateKeyPem)
      const second = await sign({ salt: other, parentId: ids[0] ?? '' }, keys.server.privateKeyPem)
      return offering(root.certificate, first, second)
    },
  ],
  [
    'whose key has exponent 1',
    async () => offering(root.certificate, await sign({ publicKey: key(modulus, [1]) })),
  ],
  [
    'whose key has exponent 3',
    async () => offering(root.certificate, await sign({ publicKey: key(modulus, [3]) })),
  ],
  [
    'whose key is even',
    async () => offering(root.certificate, await sign({ publicKey: key(modulus, [1, 0, 0]) })),
  ],
  [
    'whose key has 1024 bits',
    async () => offering(root.certificate, await sign({ publicKey: key(modulus.slice(0, 128), [1, 0, 1]) })),
  ],
  ['whose key is nonsense', async () => offering(root.certificate, await sign({ publicKey: 'AAAA' }))],
  ['whose key is empty', async () => offering(root.certificate, await sign({ publicKey: '' }))],
  [
    'wider than the one above it',
    async ({ world }) => {
      const narrow = await world.serverCertificate()
      const wide = await sign(
        { parentId: narrow.id, scopeDefinitionId: 'all', scopeParams: pythonStringify({ root: ROOT }) },
        keys.server.privateKeyPem,
      )
      return offering(root.certificate, narrow, wide)
    },
  ],
  [
    'beside the one above it',
    async ({ world }) => {
      const narrow = await world.serverCertificate()
      const beside = await sign(
        { parentId: narrow.id, scopeParams: pythonStringify({ root: ROOT, owner: 'u2' }) },
        keys.server.privateKeyPem,
      )
      return offering(root.certificate, narrow, beside)
    },
  ],
  [
    'with two prefixes in one parameter',
    async () =>
      offering(
        root.certificate,
        await sign({ scopeParams: pythonStringify({ root: `${ROOT}\n${ROOT}`, owner: 'u1' }) }),
      ),
  ],
  [
    'with an empty parameter',
    async () =>
      offering(root.certificate, await sign({ scopeParams: pythonStringify({ root: ROOT, owner: '' }) })),
  ],
  [
    'with parameters that are no object',
    async () => offering(root.certificate, await sign({ scopeParams: '[]' })),
  ],
  [
    'of a scope that nobody knows',
    async () => offering(root.certificate, await sign({ scopeDefinitionId: 'everything' })),
  ],
  [
    'of a scope named as a prototype',
    async () => offering(root.certificate, await sign({ scopeDefinitionId: '__proto__' })),
  ],
  ['of another profile', async () => offering(root.certificate, await sign({ profile: 'other' }))],
  [
    'of the same id with other content',
    async ({ world }) => {
      const { id, salt } = await world.serverCertificate()
      return offering(
        root.certificate,
        await sign(
          { id, salt, scopeDefinitionId: 'all', scopeParams: pythonStringify({ root: ROOT }) },
          keys.foreign.privateKeyPem,
        ),
      )
    },
  ],
  [
    'whose id is another than the one inside',
    async () => {
      const [item] = items(await sign())
      const fake = { ...item, id: root.certificate.id }
      return offeringItems([...items(root.certificate), fake], [fake])
    },
  ],
  [
    'without a signature',
    async () => {
      const [item] = items(await sign())
      const bare = { ...item, signature: '' }
      return offeringItems([...items(root.certificate), bare], [bare])
    },
  ],
  [
    'with a text that is not JSON',
    async () => {
      const bad = { id: 'a'.repeat(32), serialized: '{{', signature: 'x' }
      return offeringItems([...items(root.certificate), bad], [bad])
    },
  ],
  [
    'a thousand times over',
    async () => {
      const many = await Promise.all(Array.from({ length: 60 }, () => sign({}, keys.foreign.privateKeyPem)))
      const offered = Array.from(
        { length: 1000 },
        (_, index) => many[index % many.length] ?? root.certificate,
      )
      return offeringItems(items(root.certificate, ...many.slice(0, 1)), items(...offered))
    },
  ],
  [
    'a hundred thousand times over',
    async () => instead('GET certificates', () => json(Array.from({ length: 100_000 }, () => 0))),
  ],
  ['that is none', async () => instead('GET certificates', () => json([{}]))],
  ['that is an object', async () => instead('GET certificates', () => json({ results: [] }))],
  ['but none', async () => instead('GET certificates', () => json([]))],
]

async function chainOf(length: number): Promise<Certificate[]> {
  const chain = [root.certificate]
  let parentKey = root.privateKeyPem
  while (chain.length < length) {
    const parentId = chain.at(-1)?.id ?? ROOT
    // oxlint-disable-next-line no-await-in-loop
    chain.push(await sign({ parentId }, parentKey))
    parentKey = keys.server.privateKeyPem
  }
  return chain
}

/** The root is known here, and is not replaced; that the server does not hold it shows in what it says then. */
const rootAgain: readonly Attempt[] = (
  [
    ['to sync with', {}],
    ['to sign with', { run: request, passwords: 1 }],
  ] as const
).map(([what, how]) => ({
  ...how,
  name: `with the root’s id and other content, ${what}`,
  outcome: { fails: ['peer-error'] },
  opens: false,
  tamper: async () => {
    const { id } = root.certificate
    const scopeParams = pythonStringify({ root: ROOT })
    const { publicKey, privateKeyPem } = keys.foreign
    const change = { id, parentId: null, salt: '', publicKey, scopeDefinitionId: 'all', scopeParams }
    return offering(await sign(change, privateKeyPem))
  },
}))

const synced: readonly Attempt[] = OFFERS.map(([what, tamper]) => ({
  name: `${what}, to sync with`,
  outcome: NOTHING_TO_SYNC_WITH,
  opens: false,
  bytes: 16 * 1024 * 1024,
  tamper,
}))

const requested: readonly Attempt[] = OFFERS.map(([what, tamper]) => ({
  name: `${what}, to sign with: it is sent no password`,
  outcome: {
    fails: [
      'unknown-certificate',
      'peer-protocol',
      'unknown-scope-definition',
      'invalid-key',
      ...CERTIFICATE_CODES,
    ],
  },
  opens: false,
  bytes: 16 * 1024 * 1024,
  run: request,
  tamper,
}))

/** Certificates that a server offers. */
export const offers: Kind = {
  kind: 'offers a certificate',
  wire: true,
  strangers: true,
  attempts: [...synced, ...requested, ...rootAgain],
}

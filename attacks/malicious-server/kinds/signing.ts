import { certificateToItem } from '../../../src/core/certificate.ts'
import type { Certificate, CertificateFields, CertificateItem } from '../../../src/core/certificate.ts'
import { pythonStringify } from '../../../src/core/python-json.ts'
import type { Attempt, Kind } from '../attempt.ts'
import { CERTIFICATE_CODES, foreign, request, ROOT, sign } from '../forged-certificates.ts'
import { instead, json, objectOf } from '../layer.ts'
import { keys, root } from '../world.ts'

/** What comes instead of the certificate that was asked for. */
const ANSWERS: readonly (readonly [
  string,
  (own: Certificate, wanted: Record<string, unknown>) => Promise<unknown>,
])[] = [
  ['of another key', async (own) => childOf(own, { publicKey: keys.foreign.publicKey })],
  ['of the server’s own key', async (own) => childOf(own, { publicKey: keys.server.publicKey })],
  [
    'of a wider scope',
    async (own, wanted) =>
      childOf(own, {
        publicKey: String(wanted['public_key']),
        scopeDefinitionId: 'all',
        scopeParams: pythonStringify({ root: ROOT }),
      }),
  ],
  [
    'of another owner',
    async (own, wanted) =>
      childOf(own, {
        publicKey: String(wanted['public_key']),
        scopeParams: pythonStringify({ root: ROOT, owner: 'u2' }),
      }),
  ],
  [
    'of a reader',
    async (own, wanted) =>
      childOf(own, { publicKey: String(wanted['public_key']), scopeDefinitionId: 'reader' }),
  ],
  [
    'of another version',
    async (own, wanted) => childOf(own, { publicKey: String(wanted['public_key']), scopeVersion: 2 }),
  ],
  [
    'of another profile',
    async (own, wanted) => childOf(own, { publicKey: String(wanted['public_key']), profile: 'other' }),
  ],
  [
    'below another',
    async (_own, wanted) => childOf(foreign.certificate, { publicKey: String(wanted['public_key']) }),
  ],
  [
    'that is a root',
    async (own, wanted) => childOf(own, { publicKey: String(wanted['public_key']), parentId: null }),
  ],
  [
    'signed by nobody',
    async (own, wanted) => ({
      ...(await childOf(own, { publicKey: String(wanted['public_key']) })),
      signature: '',
    }),
  ],
  [
    'signed by another',
    async (own, wanted) =>
      childOf(own, { publicKey: String(wanted['public_key']) }, keys.foreign.privateKeyPem),
  ],
  [
    'of another id',
    async (own, wanted) => childOf(own, { publicKey: String(wanted['public_key']), id: 'a'.repeat(32) }),
  ],
  ['of the root itself', async () => certificateToItem(root.certificate)],
  ['of nothing', async () => ({})],
  ['of nonsense', async () => ({ serialized: '[]', signature: 'x' })],
]

async function childOf(
  parent: Certificate,
  change: Partial<CertificateFields>,
  privateKey: string = keys.server.privateKeyPem,
): Promise<CertificateItem> {
  return certificateToItem(await sign({ parentId: parent.id, ...change }, privateKey))
}

/** Answers to a signing request. */
export const answers: Kind = {
  kind: 'signs another certificate than was asked for',
  wire: true,
  strangers: true,
  attempts: ANSWERS.map(([what, answer]) => ({
    name: what,
    outcome: { fails: ['peer-protocol', 'invalid-key', ...CERTIFICATE_CODES] },
    opens: false,
    passwords: 1,
    run: request,
    tamper: async ({ world }) => {
      const own = await world.serverCertificate()
      return instead('POST certificates', async (call) => json(await answer(own, objectOf(call.body)), 201))
    },
  })),
}

/** Ways to come by the password. */
export const passwords: Kind = {
  kind: 'wants the password',
  wire: true,
  strangers: true,
  attempts: [
    ...[301, 302, 303, 307, 308].map((status): Attempt => ({
      name: `and sends the client elsewhere by ${status}`,
      outcome: { fails: ['peer-error', 'peer-protocol'] },
      opens: false,
      passwords: 1,
      run: request,
      tamper: ({ elsewhere }) =>
        instead('POST certificates', { status, headers: { location: elsewhere }, body: '' }),
    })),
    ...[401, 429, 503].map((status): Attempt => ({
      name: `again and again, by ${status}`,
      outcome: { fails: ['peer-error'] },
      opens: false,
      // Each to the server that it was given for; in all as often as a call is made again.
      passwords: status === 401 ? 1 : 6,
      run: request,
      tamper: () =>
        instead('POST certificates', {
          status,
          headers: { 'retry-after': '1', 'www-authenticate': 'Basic realm="\u009b31m"' },
          body: '',
        }),
    })),
    {
      name: 'when it asks for it where none is due',
      outcome: { fails: ['peer-error'] },
      opens: false,
      run: request,
      tamper: () =>
        instead('GET certificates', {
          status: 401,
          headers: { 'www-authenticate': 'Basic realm="x"' },
          body: '',
        }),
    },
  ],
}

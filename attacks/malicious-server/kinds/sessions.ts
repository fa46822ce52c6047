import type { Attempt, Kind } from '../attempt.ts'
import { altering, instead, json, objectOf, type Tamper } from '../layer.ts'
import { keys, signer } from '../world.ts'

const UNSIGNED = { fails: ['session-signature-invalid', 'peer-protocol'] } as const

/** A server that signs a session as told. */
function signing(sign: (text: string, client: string) => unknown): Tamper {
  return instead('POST syncsessions', async ({ body }) => {
    const { id, nonce, signature } = objectOf(body)
    const text = `${String(nonce)}:${String(id)}`
    return json({ signature: await sign(text, String(signature)), server_instance: '{}' }, 201)
  })
}

const signatures: readonly Attempt[] = (
  [
    ['by a foreign key', (text: string) => signer.sign(keys.foreign.privateKeyPem, text)],
    ['by its key over another text', () => signer.sign(keys.server.privateKeyPem, 'something else')],
    [
      'by its key over a nonce alone',
      (text: string) => signer.sign(keys.server.privateKeyPem, text.split(':')[0] ?? ''),
    ],
    ['with the client’s own signature', (_text: string, client: string) => client],
    ['with nothing', () => ''],
    ['with nonsense', () => 'nonsense'],
    ['with zeros', () => 'A'.repeat(342) + '=='],
    ['with a number', () => 5],
    ['with null', () => null],
    ['with a megabyte', () => 'A'.repeat(200_000)],
  ] as const
).map(([what, sign]) => ({
  name: `signs ${what}`,
  outcome: UNSIGNED,
  opens: false,
  tamper: () => signing(sign),
}))

const nonces: readonly Attempt[] = (
  [
    ['none', {}],
    ['null', { id: null }],
    ['a number', { id: 5 }],
    ['a path', { id: '../../syncsessions' }],
    [
      'a text that it would like to have signed',
      { id: JSON.stringify({ id: 'a'.repeat(32), parent_id: null }) },
    ],
    ['line breaks', { id: `${'a'.repeat(31)}\n` }],
    ['a NUL', { id: `${'a'.repeat(31)}\0` }],
    ['a long one', { id: 'a'.repeat(60_000) }],
    ['a list', [{ id: 'a'.repeat(32) }]],
  ] as const
).map(([what, body]) => ({
  name: `gives ${what} for a nonce`,
  outcome: { fails: ['peer-protocol'] },
  opens: false,
  tamper: () => instead('POST nonces', json(body, 201)),
}))

const instances: readonly Attempt[] = [
  ['of a hundred kilobytes', 'x'.repeat(100_000), { fails: ['peer-protocol'] }],
  ['that is a number', 5, { fails: ['peer-protocol'] }],
  ['with a NUL', '{"id": "\0"}', { fails: ['peer-protocol'] }],
  ['nested deep', `${'['.repeat(8000)}${']'.repeat(8000)}`, 'harmless'],
  ['with a prototype', '{"__proto__": {"id": "x"}}', 'harmless'],
  ['that is not JSON', '\u001b[31m{', 'harmless'],
].map(([what, server_instance, outcome]) => ({
  name: `calls itself something ${String(what)}`,
  outcome: typeof outcome === 'object' ? { fails: ['peer-protocol'] as const } : 'harmless',
  opens: outcome === 'harmless',
  tamper: () => altering('POST syncsessions', (body) => ({ ...body, server_instance })),
}))

/** How a session begins. */
export const sessions: Kind = {
  kind: 'opens a session and',
  wire: true,
  strangers: true,
  attempts: [...signatures, ...nonces, ...instances],
}

const ids = [
  '../../../etc/passwd',
  'a'.repeat(32),
  '',
  '\u001b[31m',
  'a\r\nSet-Cookie: x',
  '__proto__',
  `${'b'.repeat(32)}/../x`,
]

/** Ids that are not the ones that were given. */
export const otherIds: Kind = {
  kind: 'answers with another id:',
  wire: true,
  attempts: ids.flatMap((id): Attempt[] => [
    {
      name: `${JSON.stringify(id)} for a transfer`,
      outcome: { fails: ['peer-protocol'] },
      tamper: () => altering('POST transfersessions', (body) => ({ ...body, id })),
    },
    {
      name: `${JSON.stringify(id)} for a session`,
      outcome: 'harmless',
      tamper: () => altering('POST syncsessions', (body) => ({ ...body, id })),
    },
  ]),
}

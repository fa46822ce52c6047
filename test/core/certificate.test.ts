import { describe, expect, it } from 'vitest'
import { checkCertificate } from '../../src/core/certificate-checks.ts'
import type { CertificateContext } from '../../src/core/certificate-checks.ts'
import { checkChain, planChain } from '../../src/core/certificate-chain.ts'
import { createChildCertificate, createRootCertificate } from '../../src/core/certificate-create.ts'
import {
  certificateFromItem,
  certificateText,
  certificateToItem,
  parseCertificateText,
} from '../../src/core/certificate.ts'
import type { Certificate, SignedItem } from '../../src/core/certificate.ts'
import { isMorangoError } from '../../src/core/errors.ts'
import type { MorangoError } from '../../src/core/errors.ts'
import { certificateId, sha2Uuid } from '../../src/core/ids.ts'
import { createSigner } from '../../src/crypto/webcrypto-signer.ts'
import { certificates, findScopeDefinition, keys, scopeDefinition } from './golden-certificates.ts'

const signer = createSigner()
const context: CertificateContext = {
  scopeDefinition: findScopeDefinition,
  isPublicKey: (text) => signer.normalizePublicKey(text) === text,
  verify: (publicKey, message, signature) => signer.verify(publicKey, message, signature),
}

interface Outcome {
  /** Those of the chain that would be saved: all that are new, or none. */
  saved: string[]
  error: string | undefined
  message: string | undefined
  leaf: string | undefined
}

function errorClassOf(error: MorangoError): string {
  const errorClass = error.details['errorClass']
  return typeof errorClass === 'string' ? errorClass : error.code
}

async function save(
  items: SignedItem[],
  expectedLastId?: string,
  present: Certificate[] = [],
): Promise<Outcome> {
  const table = new Map(present.map((certificate) => [certificate.id, certificate]))
  const outcome: Outcome = { saved: [], error: undefined, message: undefined, leaf: undefined }
  try {
    const { leaf, unsaved } = await checkChain({
      items,
      expectedLastId,
      known: (ids) => Promise.resolve(knownUpTo(table, ids)),
      check: (certificate, parent) => checkCertificate(certificate, parent, context),
    })
    outcome.saved = unsaved.map(({ id }) => id)
    outcome.leaf = leaf.id
  } catch (error) {
    if (!isMorangoError(error)) throw error
    outcome.error = errorClassOf(error)
    outcome.message = error.message
  }
  return outcome
}

function knownUpTo(table: ReadonlyMap<string, Certificate>, ids: readonly string[]): Certificate[] {
  const chain: Certificate[] = []
  let next = table.get(ids.find((id) => table.has(id)) ?? '')
  while (next !== undefined) {
    chain.unshift(next)
    next = table.get(next.parentId ?? '')
  }
  return chain
}

const CLASS_NAMES: Readonly<Record<string, string>> = {
  AssertionError: 'certificate-chain-invalid',
  DoesNotExist: 'ScopeDefinitionUnknown',
}

const chainOf = (name: string): SignedItem[] => certificates.ancestors_of[name]?.json ?? []
const chain = chainOf('grandchild')

describe('certificates of the original', () => {
  it.each(Object.entries(certificates.id_input))('id of %s', (name, input) => {
    const [publicKey = '', profile = '', salt = ''] = input.split(':')
    expect(certificateId(publicKey, profile, salt)).toBe(certificates.ancestors_of[name]?.id)
    expect(sha2Uuid(input)).toBe(certificates.ancestors_of[name]?.id)
  })

  it.each(Object.entries(certificates.ancestors_of))(
    'reads and writes the chain of %s',
    async (_, { json }) => {
      for (const item of json) {
        const certificate = certificateFromItem(item)
        expect(certificateToItem(certificate)).toEqual(item)
        expect(certificateText(certificate)).toBe(item.serialized)
      }
      expect(await save(json)).toMatchObject({ saved: json.map(({ id }) => id), error: undefined })
    },
  )

  it.each(certificates.chains)('chain: $label', async ({ chain: items, expected_last_id, result }) => {
    const outcome = await save(items, expected_last_id ?? undefined)
    // The original keeps valid ancestors of a bad certificate; ours keeps nothing of such a chain.
    expect(outcome.saved.toSorted()).toEqual(result.ok ? result.saved.toSorted() : [])
    const error = result.error === undefined ? undefined : (CLASS_NAMES[result.error] ?? result.error)
    expect(outcome.error).toBe(error)
    expect(outcome.message ?? '').toContain(result.error === 'DoesNotExist' ? '' : (result.message ?? ''))
  })

  it('makes the root and the child again, byte for byte', async () => {
    const [rootItem, childItem] = chainOf('child')
    const [rootKey, childKey] = keys.keys
    if (!rootItem || !childItem || !rootKey || !childKey) throw new Error('fixture')
    const { certificate: root } = await createRootCertificate({
      signer,
      definition: scopeDefinition('rootcert'),
      keyPair: { privateKeyPem: rootKey.private_key_pem, publicKey: rootKey.public_key_string },
    })
    expect(certificateToItem(root)).toEqual(rootItem)
    const fields = parseCertificateText(childItem.serialized)
    const child = await createChildCertificate({
      signer,
      parent: root,
      parentPrivateKeyPem: rootKey.private_key_pem,
      scopeDefinitionId: fields.scopeDefinitionId,
      scopeVersion: fields.scopeVersion,
      scopeParams: fields.scopeParams,
      publicKey: `-----BEGIN RSA PUBLIC KEY-----\n${childKey.public_key_string}\n-----END RSA PUBLIC KEY-----`,
      salt: fields.salt,
    })
    expect(certificateToItem(child)).toEqual(childItem)
  })
})

describe('chains', () => {
  it('ends its walk at a known certificate', async () => {
    const [root, child, leaf] = chain
    if (!root || !child || !leaf) throw new Error('fixture')
    const known = [certificateFromItem(root), certificateFromItem(child)]
    expect(await save([child, leaf], leaf.id, known)).toMatchObject({ saved: [leaf.id], leaf: leaf.id })
    expect(await save([child], undefined, known)).toMatchObject({ saved: [], leaf: child.id })
    // What stands above a known certificate is not looked at.
    const broken = { id: 'x', serialized: '', signature: '' }
    expect(await save([broken, child, leaf], leaf.id, known)).toMatchObject({ saved: [leaf.id] })
  })

  it('refuses an empty chain, a wrong leaf, and a root that is not the first', () => {
    const [root, child] = chain
    if (!root || !child) throw new Error('fixture')
    const invalid = expect.objectContaining({ code: 'certificate-chain-invalid' })
    expect(() => planChain([])).toThrow(invalid)
    expect(() => planChain([root, child], root.id)).toThrow(invalid)
    expect(() => planChain([child, root])).toThrow(invalid)
    expect(planChain([root, child], child.id)).toMatchObject({
      pending: [{ id: root.id }, { id: child.id }],
      knownId: undefined,
    })
  })

  it.each([
    '',
    '[]',
    '{}',
    '{"id": "x", "parent_id": 5}',
    '{"id": "x", "parent_id": null, "profile": "p", "scope_definition_id": "d", "scope_version": "1",' +
      ' "scope_params": "{}", "public_key_string": "k"}',
  ])('finds the text %j malformed', (text) => {
    expect(() => parseCertificateText(text)).toThrow(
      expect.objectContaining({ code: 'certificate-malformed' }),
    )
  })

  it('refuses a parent that is not the named one, and parameters that are no object', async () => {
    const [root, child, leaf] = chain.map((item) => certificateFromItem(item))
    if (!root || !child || !leaf) throw new Error('fixture')
    expect(await checkCertificate(leaf, root, context)).toMatchObject({ code: 'certificate-chain-invalid' })
    expect(await checkCertificate(leaf, undefined, context)).toMatchObject({
      code: 'certificate-chain-invalid',
    })
    const trusting = { ...context, verify: () => Promise.resolve(true) }
    expect(await checkCertificate({ ...child, scopeParams: '[]' }, root, trusting)).toMatchObject({
      errorClass: 'CertificateMalformed',
    })
    expect(await checkCertificate(child, root, context)).toBeUndefined()
  })

  it('makes no root certificate of a definition without a primary parameter', async () => {
    await expect(
      createRootCertificate({ signer, definition: scopeDefinition('subcert') }),
    ).rejects.toMatchObject({
      code: 'invalid-argument',
    })
  })
})

import { describe, expect, it } from 'vitest'
import { base64Decode, base64Encode } from '../../src/core/base64.ts'
import { publicKeyToWire } from '../../src/core/public-key.ts'
import { BoundedCache } from '../../src/crypto/bounded-cache.ts'
import { pkcs8FromPkcs1 } from '../../src/crypto/der.ts'
import { privateKeyDer, privateKeyPem } from '../../src/crypto/key-text.ts'
import { createSigner } from '../../src/crypto/webcrypto-signer.ts'
import { keys } from '../core/golden-certificates.ts'

const signer = createSigner()
const invalidKey = expect.objectContaining({ code: 'invalid-key' })

describe('the keys of the original', () => {
  it.each(keys.keys)('signs and verifies with $public_key_string', async (key) => {
    expect(key.python_rsa_public_key_string).toBe(key.public_key_string)
    expect(privateKeyPem(privateKeyDer(key.private_key_pem))).toBe(key.private_key_pem)
    await Promise.all([
      ...key.signatures.map(async ({ message, signature }) => {
        expect(await signer.sign(key.private_key_pem, message)).toBe(signature)
        expect(await signer.verify(key.public_key_string, message, signature)).toBe(true)
      }),
      ...key.verify.map(async ({ message, signature, valid }) => {
        expect(await signer.verify(key.public_key_string, message, signature)).toBe(valid)
      }),
    ])
  })

  const inputs = Map.groupBy(keys.public_key_inputs, (one) => 'public_key_string' in one)

  it.each(inputs.get(true) ?? [])('reads a public key: $label', ({ input, public_key_string }) => {
    expect(signer.normalizePublicKey(input)).toBe(public_key_string)
    expect(publicKeyToWire(input)).toBe(public_key_string)
  })

  it.each(inputs.get(false) ?? [])('refuses a public key: $label', ({ input }) => {
    expect(() => signer.normalizePublicKey(input)).toThrow(invalidKey)
  })
})

describe('the signer', () => {
  it('makes keys that it can use, in the forms of the protocol', async () => {
    const { privateKeyPem: pem, publicKey } = await signer.generateKeyPair()
    expect(pem).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\nMII[^-]+\n-----END RSA PRIVATE KEY-----\n$/)
    expect(publicKey).toMatch(/^MIIBCgKCAQEA[A-Za-z0-9+/]+IDAQAB$/)
    const signature = await signer.sign(pem, 'hällo')
    expect(await signer.verify(publicKey, 'hällo', signature)).toBe(true)
    expect(await signer.verify(publicKey, 'hallo', signature)).toBe(false)
  })

  it('reads a private key in PKCS#8 too', async () => {
    const [key] = keys.keys
    const [first] = key?.signatures ?? []
    if (!key || !first) throw new Error('fixture')
    const pkcs8 = base64Encode(pkcs8FromPkcs1(privateKeyDer(key.private_key_pem)))
    const pem = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----`
    expect(await signer.sign(pem, first.message)).toBe(first.signature)
  })

  it('says no to anything malformed', async () => {
    const [key] = keys.keys
    const [first] = key?.signatures ?? []
    if (!key || !first) throw new Error('fixture')
    const { message, signature } = first
    const verdicts = await Promise.all([
      signer.verify('', message, signature),
      signer.verify('AAAA', message, signature),
      signer.verify(key.public_key_string.slice(0, -4), message, signature),
      signer.verify(key.public_key_string, message, ''),
      signer.verify(key.public_key_string, message, '***'),
      signer.verify(key.public_key_string, message, signature.slice(0, -4)),
    ])
    expect(verdicts).toEqual(Array.from(verdicts, () => false))
    await expect(signer.sign('', message)).rejects.toThrow(invalidKey)
    await expect(signer.sign('-----BEGIN RSA PRIVATE KEY-----\nAAAA', message)).rejects.toThrow(invalidKey)
  })
})

describe('base64', () => {
  it('agrees with the platform', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + length) & 0xff)
      const text = Buffer.from(bytes).toString('base64')
      expect(base64Encode(bytes)).toBe(text)
      expect(base64Decode(text)).toEqual(bytes)
    }
  })

  it.each(['A', 'AB', 'ABC', 'AB=C', 'A===', '=', 'AB-_'])('refuses %j', (text) => {
    expect(base64Decode(text)).toBeUndefined()
  })
})

it('a bounded cache drops what was not used for longest', () => {
  const cache = new BoundedCache<number>(2)
  cache.set('a', 1)
  cache.set('b', 2)
  cache.get('a')
  cache.set('c', 3)
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3])
})

import { describe, expect, it, test } from 'vitest'
import { base64Decode, base64Encode } from '../../src/core/base64.ts'
import { createSigner } from '../../src/crypto/webcrypto-signer.ts'
import { der, good, integer, key, length, modulus, sequence, text } from './rsa-der.ts'

const signer = createSigner()
const invalidKey = expect.objectContaining({ code: 'invalid-key' })
/** The same bytes, in a base64 text of which the last bits are not zero. */
function withStrayBits(padded: string): string {
  const digits = padded.replace(/=+$/, '')
  const stray = digits.slice(0, -1) + String.fromCharCode(digits.charCodeAt(digits.length - 1) + 1)
  const other = stray + padded.slice(digits.length)
  expect(base64Decode(other)).toEqual(base64Decode(padded))
  return other
}

const E = [1, 0, 1]

it('makes the good key by the same means', () => {
  expect(key(modulus, E)).toBe(good)
  expect(signer.normalizePublicKey(good)).toBe(good)
})

test.each([
  ['e = 1', key(modulus, [1])],
  ['e = 3', key(modulus, [3])],
  ['e = 65535', key(modulus, [0xff, 0xff])],
  ['e = 65536', key(modulus, [1, 0, 0])],
  ['e = 65538', key(modulus, [1, 0, 2])],
  [
    'e of 264 bits',
    key(
      modulus,
      Array.from({ length: 33 }, () => 0xff),
    ),
  ],
  ['e = 0', key(modulus, [0])],
  ['512 bits', key(modulus.slice(192), E)],
  ['1024 bits', key([0xc1, ...modulus.slice(129)], E)],
  ['2047 bits', key([0x7f, ...modulus.slice(1)], E)],
  ['8200 bits', key([0xff, ...Array.from({ length: 1024 }, () => 0xff)], E)],
  ['an even modulus', key([...modulus.slice(0, -1), 0xfe], E)],
  ['a negative modulus', text(sequence([2, ...length(256), ...modulus], integer(E)))],
  ['a zero too many', text(sequence([2, ...length(258), 0, 0, ...modulus], integer(E)))],
  ['a zero too many in e', text(sequence(integer(modulus), [2, 4, 0, ...E]))],
  ['a length in two forms', text(sequence(integer(modulus), [2, 0x81, 3, ...E]))],
  ['a length of no bytes', text([0x30, 0x80, ...integer(modulus), ...integer(E), 0, 0])],
  ['something after it', text([...der, 0])],
  ['something more in it', text(sequence(integer(modulus), integer(E), integer([1])))],
  ['bits that stand for nothing', withStrayBits(key(modulus, [1, 0, 0, 1]))],
  ['a very long text', good.repeat(1000)],
  ['a lot of whitespace', good + ' '.repeat(100_000)],
])('is no key: %s', async (_, weak) => {
  expect(() => signer.normalizePublicKey(weak)).toThrow(invalidKey)
  expect(await signer.verify(weak, 'message', 'AAAA')).toBe(false)
})

describe('a signature that anybody can make', () => {
  // With e = 1 the padded digest is its own signature.
  const DIGEST_INFO = [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20]

  it('does not verify', async () => {
    const message = new TextEncoder().encode('nonce:session')
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', message))
    const tail = [0, ...DIGEST_INFO, ...digest]
    const padding = Array.from({ length: 256 - 2 - tail.length }, () => 0xff)
    const forged = text([0, 1, ...padding, ...tail])
    expect(await signer.verify(key(modulus, [1]), 'nonce:session', forged)).toBe(false)
  })
})

test.each([3072, 4096])('a key of %i bits is fine', async (modulusLength) => {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength }
  const pair = await crypto.subtle.generateKey({ ...algorithm, publicExponent: Uint8Array.from(E) }, true, [
    'sign',
    'verify',
  ])
  const spki = base64Encode(new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey)))
  const publicKey = signer.normalizePublicKey(spki)
  const signed = await crypto.subtle.sign(algorithm.name, pair.privateKey, new TextEncoder().encode('x'))
  expect(await signer.verify(publicKey, 'x', base64Encode(new Uint8Array(signed)))).toBe(true)
})

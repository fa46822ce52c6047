import { base64Decode, base64Encode } from '../core/base64.ts'
import { MorangoError } from '../core/errors.ts'
import {
  MAX_KEY_BITS,
  MAX_KEY_EXPONENT_BITS,
  MAX_KEY_TEXT,
  MIN_KEY_BITS,
  MIN_KEY_EXPONENT,
} from '../core/limits.ts'
import { pkcs1FromPkcs8, pkcs1FromSpki, readPkcs1PublicKey } from './der.ts'

const PUBLIC_ARMOUR = /-----(?:BEGIN|END) (?:RSA )?PUBLIC KEY-----/g
const PRIVATE_ARMOUR = /-----(?:BEGIN|END) (?:RSA )?PRIVATE KEY-----/g
const PEM_LINE = /.{1,64}/g

type Bytes = Uint8Array<ArrayBuffer>

/**
 * The PKCS#1 DER of a public key in any form that the protocol has (§3): base64 of PKCS#1 or SPKI, with or
 * without PEM armour and line breaks.
 *
 * @throws MorangoError `invalid-key`, also for a key that is too small, so large that it keeps a server busy, or has an
 * exponent with which anybody could sign (protocol §11)
 */
export function publicKeyDer(text: string): Bytes {
  if (text.length > MAX_KEY_TEXT) throw unreadableKey()
  const der = canonicalBytes(text.replace(PUBLIC_ARMOUR, ''))
  const pkcs1 = der && (pkcs1FromSpki(der) ?? der)
  const numbers = pkcs1 && readPkcs1PublicKey(pkcs1)
  if (pkcs1 === undefined || numbers === undefined) throw unreadableKey()
  const problem = weakness(numbers)
  if (problem === undefined) return pkcs1
  throw new MorangoError('invalid-key', `The public key ${problem}`, {
    hint: `Use an RSA key of ${MIN_KEY_BITS} bits with the exponent ${MIN_KEY_EXPONENT}.`,
  })
}

function unreadableKey(): MorangoError {
  return new MorangoError('invalid-key', 'The public key is not an RSA key in a form of the protocol', {
    hint: 'Give base64 of the PKCS#1 or SPKI form, with or without PEM armour.',
  })
}

/** Why nobody should trust what such a key has signed. */
function weakness({ modulus, exponent }: { modulus: Bytes; exponent: Bytes }): string | undefined {
  const bits = bitLength(modulus)
  if (bits < MIN_KEY_BITS || bits > MAX_KEY_BITS) {
    return `has ${bits} bits, not ${MIN_KEY_BITS} to ${MAX_KEY_BITS}`
  }
  if (!isOdd(modulus)) return 'has an even modulus, which no RSA key has'
  if (bitLength(exponent) > MAX_KEY_EXPONENT_BITS || !isOdd(exponent) || isBelowLeast(exponent)) {
    return `has an exponent that is even, below ${MIN_KEY_EXPONENT} or far above it`
  }
  return undefined
}

function bitLength(number: Bytes): number {
  return number.length * 8 - (Math.clz32(number[0] ?? 0) - 24)
}

function isOdd(number: Bytes): boolean {
  return ((number.at(-1) ?? 0) & 1) === 1
}

function isBelowLeast(exponent: Bytes): boolean {
  if (exponent.length > 4) return false
  return exponent.reduce((value, byte) => value * 256 + byte, 0) < MIN_KEY_EXPONENT
}

/** The bytes of a base64 text; undefined when it is none, or when bits that stand for nothing are set. */
function canonicalBytes(text: string): Bytes | undefined {
  const bytes = base64Decode(text)
  return bytes !== undefined && base64Encode(bytes) === text.replace(/\s+/g, '') ? bytes : undefined
}

/** The wire form of a public key's PKCS#1 DER. */
export function publicKeyText(der: Uint8Array): string {
  return base64Encode(der)
}

/**
 * The PKCS#1 DER of a private key in PEM, PKCS#1 or PKCS#8.
 *
 * @throws MorangoError `invalid-key`
 */
export function privateKeyDer(pem: string): Bytes {
  const der = base64Decode(pem.replace(PRIVATE_ARMOUR, ''))
  if (der === undefined || der.length === 0) {
    throw new MorangoError('invalid-key', 'The private key is not in PEM', {
      hint: 'It starts with -----BEGIN RSA PRIVATE KEY----- and must not be encrypted.',
    })
  }
  return pkcs1FromPkcs8(der) ?? der
}

/** A private key's PKCS#1 DER as PEM, as the original stores it (protocol §3). */
export function privateKeyPem(der: Uint8Array): string {
  const lines = base64Encode(der).match(PEM_LINE) ?? []
  return ['-----BEGIN RSA PRIVATE KEY-----', ...lines, '-----END RSA PRIVATE KEY-----', ''].join('\n')
}

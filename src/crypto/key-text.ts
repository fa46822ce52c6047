import { base64Decode, base64Encode } from '../core/base64.ts'
import { MorangoError } from '../core/errors.ts'
import { pkcs1FromPkcs8, pkcs1FromSpki, readPkcs1PublicKey } from './der.ts'

const PUBLIC_ARMOUR = /-----(?:BEGIN|END) (?:RSA )?PUBLIC KEY-----/g
const PRIVATE_ARMOUR = /-----(?:BEGIN|END) (?:RSA )?PRIVATE KEY-----/g
const PEM_LINE = /.{1,64}/g

// The protocol's keys have 2048 bits. Longer ones verify too; ever longer ones would be a way to keep a
// server busy, shorter ones are not safe.
const MIN_MODULUS_BYTES = 256
const MAX_MODULUS_BYTES = 1024

type Bytes = Uint8Array<ArrayBuffer>

/**
 * The PKCS#1 DER of a public key in any form that the protocol has (§3): base64 of PKCS#1 or SPKI, with or
 * without PEM armour and line breaks.
 *
 * @throws MorangoError `invalid-key`
 */
export function publicKeyDer(text: string): Bytes {
  const der = base64Decode(text.replace(PUBLIC_ARMOUR, ''))
  const pkcs1 = der && (pkcs1FromSpki(der) ?? der)
  const numbers = pkcs1 && readPkcs1PublicKey(pkcs1)
  const size = numbers?.modulus.length ?? 0
  if (pkcs1 === undefined || size < MIN_MODULUS_BYTES || size > MAX_MODULUS_BYTES) {
    throw new MorangoError('invalid-key', 'The public key is not an RSA key of at least 2048 bits', {
      hint: 'Give base64 of the PKCS#1 or SPKI form, with or without PEM armour.',
    })
  }
  return pkcs1
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

import { base64Decode, base64Encode } from '../core/base64.ts'
import { MorangoError } from '../core/errors.ts'
import { MAX_KEY_TEXT } from '../core/limits.ts'
import type { Signer } from '../core/ports.ts'
import { BoundedCache } from './bounded-cache.ts'
import { pkcs1FromPkcs8, pkcs1FromSpki, pkcs8FromPkcs1, spkiFromPkcs1 } from './der.ts'
import { privateKeyDer, privateKeyPem, publicKeyDer, publicKeyText } from './key-text.ts'

/** The Web Crypto API, by whatever name the platform's types have for it. */
export type WebCrypto = typeof globalThis.crypto

type WebCryptoKey = Awaited<ReturnType<WebCrypto['subtle']['importKey']>>

const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const
const GENERATION = {
  ...ALGORITHM,
  modulusLength: 2048,
  publicExponent: Uint8Array.of(1, 0, 1),
}
const CACHED_KEYS = 64

/**
 * The protocol's RSA by WebCrypto, which browsers and Node have (protocol §3). Imported keys are kept in a
 * small cache in memory.
 *
 * @param crypto - the platform's when missing
 */
export function createSigner(crypto: WebCrypto = globalThis.crypto): Signer {
  const { subtle } = crypto
  const encoder = new TextEncoder()
  const privateKeys = new BoundedCache<Promise<WebCryptoKey>>(CACHED_KEYS)
  const publicKeys = new BoundedCache<Promise<WebCryptoKey>>(CACHED_KEYS)

  return {
    async generateKeyPair() {
      const pair = await subtle.generateKey(GENERATION, true, ['sign', 'verify'])
      const [pkcs8, spki] = await Promise.all([
        subtle.exportKey('pkcs8', pair.privateKey),
        subtle.exportKey('spki', pair.publicKey),
      ])
      const privateDer = pkcs1FromPkcs8(new Uint8Array(pkcs8))
      const publicDer = pkcs1FromSpki(new Uint8Array(spki))
      if (privateDer === undefined || publicDer === undefined) {
        throw new MorangoError('invalid-key', 'The platform made a key in a form that is not known')
      }
      return { privateKeyPem: privateKeyPem(privateDer), publicKey: publicKeyText(publicDer) }
    },

    async sign(pem, message) {
      const key = await cached(privateKeys, pem, async () =>
        subtle.importKey('pkcs8', pkcs8FromPkcs1(privateKeyDer(pem)), ALGORITHM, false, ['sign']),
      )
      return base64Encode(new Uint8Array(await subtle.sign(ALGORITHM, key, encoder.encode(message))))
    },

    async verify(publicKey, message, signature) {
      if (signature.length > MAX_KEY_TEXT || publicKey.length > MAX_KEY_TEXT) return false
      const bytes = base64Decode(signature)
      if (bytes === undefined) return false
      try {
        const key = await cached(publicKeys, publicKey, async () =>
          subtle.importKey('spki', spkiFromPkcs1(publicKeyDer(publicKey)), ALGORITHM, false, ['verify']),
        )
        return await subtle.verify(ALGORITHM, key, bytes, encoder.encode(message))
      } catch {
        return false
      }
    },

    normalizePublicKey(input) {
      return publicKeyText(publicKeyDer(input))
    },
  }
}

async function cached(
  cache: BoundedCache<Promise<WebCryptoKey>>,
  text: string,
  importKey: () => Promise<WebCryptoKey>,
): Promise<WebCryptoKey> {
  const present = cache.get(text)
  if (present !== undefined) return present
  const key = importKey()
  cache.set(text, key)
  try {
    return await key
  } catch (cause) {
    cache.delete(text)
    throw new MorangoError('invalid-key', 'The key cannot be read', { cause })
  }
}

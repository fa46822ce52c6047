import { readFileSync } from 'node:fs'
import type { KeyPair, Signer } from '../src/core/ports.ts'
import { createSigner } from '../src/crypto/webcrypto-signer.ts'

/** Signs as any peer does. */
export const signer: Signer = createSigner()

const { keys }: { keys: { private_key_pem: string; public_key_string: string }[] } = JSON.parse(
  readFileSync(new URL('../test/fixtures/golden/keys.json', import.meta.url), 'utf8'),
)

/** A key pair that was made before: making one takes long. */
export function keyPair(index: number): KeyPair {
  const key = keys[index % keys.length]
  if (key === undefined) throw new Error('no keys')
  return { privateKeyPem: key.private_key_pem, publicKey: key.public_key_string }
}

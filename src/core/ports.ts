/** RSA as the protocol uses it: 2048 bits, PKCS#1 v1.5, SHA-256 (protocol §3). */
export interface Signer {
  /** A fresh key pair: the private key as PKCS#1 PEM, the public one in its wire form. */
  generateKeyPair(): Promise<KeyPair>

  /**
   * The signature over the UTF-8 of `message`, in base64 on one line.
   *
   * @throws MorangoError `invalid-key` when the key cannot be read
   */
  sign(privateKeyPem: string, message: string): Promise<string>

  /** Whether `signature` is that key's over `message`. False, never an error, for anything malformed. */
  verify(publicKey: string, message: string, signature: string): Promise<boolean>

  /**
   * The wire form of a public key: base64 of its PKCS#1 DER on one line. Takes that, the SPKI form, PEM
   * armour, and line breaks.
   *
   * @throws MorangoError `invalid-key` when it is none of these
   */
  normalizePublicKey(input: string): string
}

/** A private key and the public key that belongs to it. */
export interface KeyPair {
  readonly privateKeyPem: string
  readonly publicKey: string
}

/** The time, so that tests can set it. */
export interface Clock {
  now(): Date
}

/** Randomness, so that tests can seed it. */
export interface Random {
  /** A fresh version 4 UUID as 32 lowercase hex digits. */
  uuid(): string
}

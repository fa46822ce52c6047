/** RSA as the protocol uses it: 2048 bits, e = 65537, PKCS#1 v1.5, SHA-256 (protocol §3). */
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
   * @throws MorangoError `invalid-key` when it is none of these, not DER in its one form, or a key that is not safe: of
   * less than 2048 or more than 8192 bits, with an even exponent or one below 65537 (protocol §11)
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

// The fixed start of an SPKI key of RSA-2048 in base64; what follows it is the PKCS#1 form.
const SPKI_HEADER = 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A'
const PEM_ARMOUR = /-----(?:BEGIN|END) (?:RSA )?PUBLIC KEY-----/g

/**
 * The wire form of a public key by rewriting its text alone: PEM armour, line breaks and the SPKI header
 * go, and what is left should be base64 of PKCS#1 DER (protocol §3). Does not look into the key.
 */
export function publicKeyToWire(text: string): string {
  const base64 = text.replace(PEM_ARMOUR, '').replace(/\s+/g, '')
  return base64.startsWith(SPKI_HEADER) ? base64.slice(SPKI_HEADER.length) : base64
}

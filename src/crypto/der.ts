const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const SEQUENCE = 0x30

/** `AlgorithmIdentifier` of rsaEncryption, with its NULL parameter. */
const RSA_ALGORITHM: readonly number[] = [
  0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
]
const VERSION_ZERO: readonly number[] = [INTEGER, 1, 0]

type Bytes = Uint8Array<ArrayBuffer>

/** The SPKI form of a PKCS#1 public key, which is what WebCrypto imports. */
export function spkiFromPkcs1(publicKey: Bytes): Bytes {
  return element(SEQUENCE, [RSA_ALGORITHM, element(BIT_STRING, [[0], publicKey])])
}

/** The PKCS#8 form of a PKCS#1 private key, which is what WebCrypto imports. */
export function pkcs8FromPkcs1(privateKey: Bytes): Bytes {
  return element(SEQUENCE, [VERSION_ZERO, RSA_ALGORITHM, element(OCTET_STRING, [privateKey])])
}

/** The PKCS#1 public key inside an SPKI one; undefined when it is no RSA key in that form. */
export function pkcs1FromSpki(spki: Bytes): Bytes | undefined {
  const [algorithm, key, ...rest] = children(spki) ?? []
  if (!isRsaAlgorithm(algorithm) || key?.tag !== BIT_STRING || key.content[0] !== 0) return undefined
  if (rest.length > 0) return undefined
  return key.content.slice(1)
}

/** The PKCS#1 private key inside a PKCS#8 one; undefined when it is no RSA key in that form. */
export function pkcs1FromPkcs8(pkcs8: Bytes): Bytes | undefined {
  const [version, algorithm, key] = children(pkcs8) ?? []
  if (version?.tag !== INTEGER || !isRsaAlgorithm(algorithm) || key?.tag !== OCTET_STRING) return undefined
  return key.content.slice()
}

/**
 * The two numbers of a PKCS#1 public key as big-endian bytes; undefined when it is none, or when a number or a length is
 * not written in the one way that DER has.
 */
export function readPkcs1PublicKey(der: Bytes): { modulus: Bytes; exponent: Bytes } | undefined {
  const [first, second, ...rest] = children(der) ?? []
  const modulus = positiveInteger(first)
  const exponent = positiveInteger(second)
  if (modulus === undefined || exponent === undefined || rest.length > 0) return undefined
  return { modulus, exponent }
}

interface Element {
  readonly tag: number
  /** With tag and length. */
  readonly whole: Bytes
  readonly content: Bytes
}

function isRsaAlgorithm(algorithm: Element | undefined): boolean {
  return (
    algorithm?.whole.length === RSA_ALGORITHM.length &&
    RSA_ALGORITHM.every((byte, index) => byte === algorithm.whole[index])
  )
}

/** The bytes of a positive number without leading zeros; undefined for any other, and with a zero too many. */
function positiveInteger(integer: Element | undefined): Bytes | undefined {
  if (integer?.tag !== INTEGER) return undefined
  const [first = 0x80, second = 0] = integer.content
  if (first >= 0x80) return undefined
  if (first !== 0) return integer.content
  return second >= 0x80 ? integer.content.slice(1) : undefined
}

/** The elements of the one SEQUENCE that `der` is; undefined when it is anything else. */
function children(der: Bytes): Element[] | undefined {
  const outer = readElement(der, 0)
  if (outer?.tag !== SEQUENCE || outer.whole.length !== der.length) return undefined
  const found: Element[] = []
  for (let position = 0; position < outer.content.length;) {
    const child = readElement(outer.content, position)
    if (child === undefined) return undefined
    found.push(child)
    position += child.whole.length
  }
  return found
}

function readElement(der: Bytes, start: number): Element | undefined {
  const tag = der[start]
  const first = der[start + 1]
  if (tag === undefined || first === undefined) return undefined
  let length = first
  let contentStart = start + 2
  if (first >= 0x80) {
    const lengthBytes = first & 0x7f
    // An RSA key's lengths take two bytes at most; more is no key.
    if (lengthBytes === 0 || lengthBytes > 2) return undefined
    length = 0
    for (let index = 0; index < lengthBytes; index++) length = length * 256 + (der[contentStart++] ?? 0)
    // DER has one form for each length: the shortest.
    if (length < (lengthBytes === 1 ? 0x80 : 0x100)) return undefined
  }
  const end = contentStart + length
  if (end > der.length) return undefined
  return { tag, whole: der.subarray(start, end), content: der.subarray(contentStart, end) }
}

function element(tag: number, parts: readonly ArrayLike<number>[]): Bytes {
  const length = parts.reduce((total, part) => total + part.length, 0)
  const header = [tag, ...lengthBytes(length)]
  const bytes = new Uint8Array(header.length + length)
  let position = 0
  for (const part of [header, ...parts]) {
    bytes.set(part, position)
    position += part.length
  }
  return bytes
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length]
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}

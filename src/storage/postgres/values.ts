const BOOL = 16
const BYTEA = 17
const INT8 = 20
const INT2 = 21
const INT4 = 23
const OID = 26
const FLOAT4 = 700
const FLOAT8 = 701

const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [BOOL, (text) => text === 't' || text === 'true'],
  [BYTEA, parseBytes],
  [INT8, parseInteger],
  [INT2, Number],
  [INT4, Number],
  [OID, Number],
  [FLOAT4, Number],
  [FLOAT8, Number],
])

/**
 * What the engine takes a value of a type for, given as the server prints it, whatever parsers the application has
 * set: numbers, booleans and bytes as such, everything else as its text.
 *
 * @param oid of the type, in `pg_type`
 */
export function parserOf(oid: number): (text: string) => unknown {
  return PARSERS.get(oid) ?? ((text) => text)
}

function parseInteger(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}

// `bytea_output` says which of the two forms the server prints.
function parseBytes(text: string): Uint8Array {
  if (text.startsWith(String.raw`\x`)) {
    return Uint8Array.from(text.slice(2).match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
  }
  const parts = text.match(/\\\\|\\[0-7]{3}|[^\\]/g) ?? []
  return Uint8Array.from(parts, (part) => {
    if (part === String.raw`\\`) return 0x5c
    return part.startsWith('\\') ? Number.parseInt(part.slice(1), 8) : part.charCodeAt(0)
  })
}

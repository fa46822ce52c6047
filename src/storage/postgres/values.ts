import { parsePrintedBytes } from '../../models/kinds/printed-bytes.ts'

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
  [BYTEA, parsePrintedBytes],
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

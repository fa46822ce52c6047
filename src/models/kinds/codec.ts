import { FieldError } from '../compiled.ts'
import type { SqlValue } from '../compiled.ts'

/** What a kind needs to know of the one column it is for. */
export interface KindOptions {
  readonly field: string
  readonly nullable: boolean
  readonly storage: string | undefined
  readonly maxLength: number | undefined
  /** Digits after the point of a decimal. */
  readonly scale: number | undefined
}

/** How one column's values travel. Null never gets here, on either side. */
export interface KindCodec {
  readonly select: 'plain' | 'text'
  readonly encode: (value: unknown) => string
  readonly decode: (raw: string) => SqlValue
}

const EXCERPT_LENGTH = 40

/** The error for a value that is not of the column's kind, with no more of it than helps to find it. */
export function invalidValue(code: string, field: string, expected: string, value: unknown): FieldError {
  return new FieldError(code, `"${field}" must be ${expected}, not ${excerpt(value)}`, field)
}

/** A value in a message: cut short, because it is somebody's data. */
export function excerpt(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  const text = String(value)
  return text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH - 1)}…` : text
}

/** The text of a raw JSON string; undefined when it is no string. */
export function jsonText(raw: string): string | undefined {
  if (raw.charCodeAt(0) !== 0x22) return undefined
  if (!raw.includes('\\')) return raw.slice(1, -1)
  try {
    const value: unknown = JSON.parse(raw)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

/** The text of a raw JSON string, or the digits of a raw JSON number as they stand. */
export function jsonTextOrNumber(raw: string): string | undefined {
  const text = jsonText(raw)
  if (text !== undefined) return text
  return /^-?\d/.test(raw) ? raw : undefined
}

/** What a driver gives for a column that is a text or a number, as text; undefined for anything else. */
export function databaseText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined
}

/** Whether `text` has more than `limit` characters, as databases and Python count them. */
export function isLongerThan(text: string, limit: number): boolean {
  if (text.length <= limit) return false
  let count = 0
  for (const _ of text) if (++count > limit) return true
  return false
}

import { z } from 'zod'
import { isHexUuid, parseUuid } from '../core/ids.ts'
import { isWithin } from './text-length.ts'

/** What is said of a field, in the words the original uses where it has any. */
export const FIELD_MESSAGES = {
  required: 'This field is required.',
  null: 'This field may not be null.',
  blank: 'This field may not be blank.',
  string: 'Not a valid string.',
  nul: 'Null characters are not allowed.',
  boolean: 'Must be a valid boolean.',
  integer: 'A valid integer is required.',
  negative: 'Ensure this value is greater than or equal to 0.',
  uuid: 'Must be a valid UUID.',
  hexUuid: 'Must be a UUID of 32 lowercase hex digits.',
  unknown: 'Unknown field.',
  list: 'Expected a list.',
  object: 'Expected an object.',
} as const

/**
 * Any text that a database can keep: PostgreSQL stores no NUL, and UTF-8 no lone surrogate. Where it ends in a
 * database, use {@link textUpTo}.
 */
export const text: z.ZodType<string> = z
  .string({ error: ({ input }) => absence(input) ?? FIELD_MESSAGES.string })
  .refine((value) => !value.includes('\0'), FIELD_MESSAGES.nul)
  .refine((value) => value.isWellFormed(), FIELD_MESSAGES.string)

/** Text of at least one character. */
export const filledText: z.ZodType<string> = text.refine((value) => value !== '', FIELD_MESSAGES.blank)

/** Text of at most so many code points. */
export function textUpTo(most: number): z.ZodType<string> {
  return text.refine((value) => isWithin(value, most), tooLong(most))
}

/** The same, but not empty. */
export function filledTextUpTo(most: number): z.ZodType<string> {
  return filledText.refine((value) => isWithin(value, most), tooLong(most))
}

/** What is said of a text that is longer. */
export function tooLong(most: number): string {
  return `Ensure this field has no more than ${most} characters.`
}

/** Text of at most so many code points, or nothing at all, which reads as `fallback`. */
export function textOr(fallback: string, most: number): z.ZodType<string> {
  return textUpTo(most)
    .nullish()
    .transform((value) => value ?? fallback)
}

/** A JSON boolean and nothing that merely looks like one. */
export const flag: z.ZodType<boolean> = z.boolean({
  error: ({ input }) => absence(input) ?? FIELD_MESSAGES.boolean,
})

/** A UUID in any spelling, read as 32 lowercase hex digits. */
export const uuid: z.ZodType<string> = checked((input) => {
  const value = parseUuid(input)
  return value === undefined ? { problem: FIELD_MESSAGES.uuid } : { value }
})

/** A UUID that is part of a signed text, so that only its one spelling will do. */
export const hexUuid: z.ZodType<string> = checked((input) =>
  isHexUuid(input) ? { value: input } : { problem: FIELD_MESSAGES.hexUuid },
)

/** An integer from 0 to `max`; also as text, which the original takes too. */
export function integer(max: number): z.ZodType<number> {
  return checked((input) => {
    const value = parseInteger(input)
    if (value === undefined) return { problem: FIELD_MESSAGES.integer }
    if (value < 0) return { problem: FIELD_MESSAGES.negative }
    if (value > max) return { problem: `Ensure this value is less than or equal to ${max}.` }
    // Without the sign of a zero, which none of our own numbers has.
    return { value: value === 0 ? 0 : value }
  })
}

/** As `field`; missing and null both read as undefined. */
export function optional<T>(field: z.ZodType<T>): z.ZodType<T | undefined> {
  return field.nullish().transform((value) => value ?? undefined)
}

type Reading<T> = { readonly value: T } | { readonly problem: string }

function checked<T>(read: (input: unknown) => Reading<T>): z.ZodType<T> {
  return z.unknown().transform((input, context) => {
    const problem = absence(input)
    const reading = problem === undefined ? read(input) : { problem }
    if ('value' in reading) return reading.value
    context.addIssue({ code: 'custom', message: reading.problem })
    return z.NEVER
  })
}

function absence(input: unknown): string | undefined {
  if (input === undefined) return FIELD_MESSAGES.required
  return input === null ? FIELD_MESSAGES.null : undefined
}

/** With its sign, blanks and zeros. */
const LONGEST_INTEGER = 64

function parseInteger(input: unknown): number | undefined {
  if (typeof input === 'number') return Number.isSafeInteger(input) ? input : undefined
  if (typeof input !== 'string' || input.length > LONGEST_INTEGER) return undefined
  return /^\s*[+-]?\d{1,15}(\.0*)?\s*$/.test(input) ? Number(input) : undefined
}

import type { z } from 'zod'
import { MorangoError } from '../core/errors.ts'
import { FIELD_MESSAGES } from './fields.ts'
import { quotedText } from './quoted-text.ts'

/** What is wrong with a message: for each field one or more sentences. Of the whole: `non_field_errors`. */
export type FieldProblems = Readonly<Record<string, readonly string[]>>

/** Where problems go that belong to no field. */
export const WHOLE = 'non_field_errors'

/**
 * Reads what a client sent.
 *
 * @param field - the name of a value that is no object of fields
 * @throws MorangoError `malformed-message`, with the problems in `details.fields` (400 on the wire)
 */
export function decodeRequest<T>(schema: z.ZodType<T>, value: unknown, field: string = WHOLE): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw malformedMessage(fieldProblems(result.error, value, field))
}

/**
 * Reads what a peer answered.
 *
 * @param call - names the call for the message
 * @throws MorangoError `peer-protocol`, with the problems in `details.fields`
 */
export function decodeReply<T>(schema: z.ZodType<T>, value: unknown, call: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw unexpectedReply(call, fieldProblems(result.error, value, WHOLE))
}

/** The error of a server for a message it cannot read. */
export function malformedMessage(
  fields: FieldProblems,
  details: Readonly<Record<string, unknown>> = {},
): MorangoError {
  return new MorangoError('malformed-message', `The message is malformed: ${summary(fields)}`, {
    details: { ...details, fields },
  })
}

/** The error of a client for an answer that is not what the protocol says. */
export function unexpectedReply(call: string, fields: FieldProblems): MorangoError {
  return new MorangoError('peer-protocol', `The peer's answer to ${call} is malformed: ${summary(fields)}`, {
    hint: 'Check that the URL is that of a Morango peer and that nothing on the way rewrites its answers.',
    details: { call, fields },
  })
}

/** So many problems of a message are told. */
const MOST_ISSUES = 20

function fieldProblems(error: z.ZodError, value: unknown, whole: string): FieldProblems {
  if (value === undefined) return { [whole]: [FIELD_MESSAGES.required] }
  const fields = new Map<string, string[]>()
  for (const issue of error.issues.slice(0, MOST_ISSUES)) {
    const [first, ...rest] = issue.path
    const key = first === undefined ? whole : quotedText(String(first))
    // zod's own words for a wrong shape are for programmers of schemas.
    const shape =
      first === undefined && issue.code === 'invalid_type' ? shapeMessage(issue.expected) : undefined
    const place = rest.length === 0 ? '' : `${rest.map(String).join('.')}: `
    fields.set(key, [...(fields.get(key) ?? []), place + (shape ?? issue.message)])
  }
  return Object.fromEntries(fields)
}

function shapeMessage(expected: string): string {
  return expected === 'array' ? FIELD_MESSAGES.list : FIELD_MESSAGES.object
}

function summary(fields: FieldProblems): string {
  return Object.entries(fields)
    .slice(0, 5)
    .map(([field, messages]) => `${field}: ${messages.join(' ')}`)
    .join('; ')
}

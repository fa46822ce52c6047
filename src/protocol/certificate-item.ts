import { z } from 'zod'
import type { CertificateItem } from '../core/certificate.ts'
import { requireJsonBounds } from '../core/json-bounds.ts'
import {
  MAX_CERTIFICATE_TEXT,
  MAX_CHAIN,
  MAX_KEY_TEXT,
  MAX_LISTED_CERTIFICATES,
  MAX_MESSAGE_DEPTH,
  MAX_SHORT_TEXT,
} from '../core/limits.ts'
import { FIELD_MESSAGES, textUpTo } from './fields.ts'

/**
 * A certificate as it travels (protocol §4). Only `id`, `serialized` and `signature` are read; the rest comes
 * from inside `serialized`, where alone it is signed. An `id` that is missing comes from there too. What cannot
 * be found there is left empty, for the certificate's checks to refuse.
 */
export const certificateItemSchema: z.ZodType<CertificateItem> = z
  .object({
    id: textUpTo(MAX_SHORT_TEXT).optional(),
    serialized: textUpTo(MAX_CERTIFICATE_TEXT),
    signature: textUpTo(MAX_KEY_TEXT),
  })
  .transform(({ id, serialized, signature }) => {
    const signed = signedFields(serialized)
    return {
      id: id ?? signed.id,
      parent: signed.parent_id,
      profile: signed.profile,
      scope_definition: signed.scope_definition_id,
      scope_version: signed.scope_version,
      scope_params: signed.scope_params,
      public_key: signed.public_key_string,
      serialized,
      signature,
      salt: signed.salt,
    }
  })

/** A list of certificates, in an answer. */
export const certificateListSchema: z.ZodType<CertificateItem[]> = z
  .unknown()
  .transform(noMoreThan(MAX_LISTED_CERTIFICATES))
  .pipe(z.array(certificateItemSchema))

/** `GET publickey/`: a list of one. */
export const publicKeySchema: z.ZodType<string> = z
  .tuple([z.object({ public_key: textUpTo(MAX_KEY_TEXT) })], z.unknown())
  .transform(([{ public_key }]) => public_key)

/** A chain of certificates, root first, as the text of a JSON list or as the list itself. */
export const certificateChainSchema: z.ZodType<CertificateItem[]> = z
  .unknown()
  .transform((input, context) => {
    if (input !== undefined && input !== null) return typeof input === 'string' ? parseJson(input) : input
    context.addIssue({ code: 'custom', message: FIELD_MESSAGES.required })
    return z.NEVER
  })
  .transform(noMoreThan(MAX_CHAIN))
  .pipe(z.array(certificateItemSchema, { error: 'Expected a JSON list of certificates.' }))

/** Before the items are looked at one by one. */
function noMoreThan(count: number): (input: unknown, context: z.RefinementCtx) => unknown {
  return (input, context) => {
    if (!Array.isArray(input) || input.length <= count) return input
    context.addIssue({ code: 'custom', message: `Ensure this list has no more than ${count} certificates.` })
    return z.NEVER
  }
}

/** The text of a chain, as both calls that carry one want it. */
export function encodeCertificateChain(chain: readonly CertificateItem[]): string {
  return JSON.stringify(chain)
}

const said = z.string().catch('')
const signedSchema = z.object({
  id: said,
  parent_id: z.string().nullable().catch(null),
  profile: said,
  salt: said,
  scope_definition_id: said,
  scope_version: z.number().catch(0),
  scope_params: said,
  public_key_string: said,
})

function signedFields(serialized: string): z.infer<typeof signedSchema> {
  const parsed = signedSchema.safeParse(parseJson(serialized))
  return parsed.success ? parsed.data : signedSchema.parse({})
}

/** Ample for the longest chain whose items have members of their own. */
const CHAIN_VALUES = MAX_CHAIN * 1000

function parseJson(source: string): unknown {
  try {
    requireJsonBounds(source, { depth: MAX_MESSAGE_DEPTH, values: CHAIN_VALUES })
    return JSON.parse(source)
  } catch {
    return undefined
  }
}

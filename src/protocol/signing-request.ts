import { z } from 'zod'
import {
  MAX_CERTIFICATE_TEXT,
  MAX_COUNTER,
  MAX_PROFILE,
  MAX_SCOPE_DEFINITION_ID,
  MAX_KEY_TEXT,
} from '../core/limits.ts'
import { FIELD_MESSAGES, filledTextUpTo, integer, optional, textUpTo, uuid } from './fields.ts'

/** Which certificates are asked for (protocol §4); with none of these, all that the server holds. */
export interface CertificateQuery {
  /** The descendants of this root, and itself. */
  readonly primaryPartition?: string | undefined
  /** The chain of this certificate, root first. */
  readonly ancestorsOf?: string | undefined
  readonly profile?: string | undefined
}

/** The query as a server reads it. */
export const certificateQuerySchema: z.ZodType<CertificateQuery> = z
  .object({
    primary_partition: optional(uuid),
    ancestors_of: optional(uuid),
    profile: optional(textUpTo(MAX_PROFILE)),
  })
  .transform((query) => ({
    primaryPartition: query.primary_partition,
    ancestorsOf: query.ancestors_of,
    profile: query.profile,
  }))

/** Who signs in for a certificate. The user name is a plain one or `key=value&key=value`, not encoded. */
export interface Credentials {
  readonly username: string
  readonly password: string
}

/** `POST certificates/` (protocol §4): the fields a certificate is wanted with. */
export interface SigningRequest {
  readonly parent: string
  readonly profile: string
  readonly scope_definition: string
  readonly scope_version: number
  /** The JSON of an object. */
  readonly scope_params: string
  readonly public_key: string
}

const NO_PARENT = 'Parent certificate (to sign the requested certificate) must be specified!'

/** The request as a server reads it. */
export const signingRequestSchema: z.ZodType<SigningRequest> = z.object({
  parent: z.unknown().transform((input, context) => {
    const parsed = uuid.safeParse(input)
    if (parsed.success) return parsed.data
    const message = input === undefined || input === null || input === '' ? NO_PARENT : FIELD_MESSAGES.uuid
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }),
  profile: filledTextUpTo(MAX_PROFILE),
  scope_definition: filledTextUpTo(MAX_SCOPE_DEFINITION_ID),
  scope_version: integer(MAX_COUNTER),
  scope_params: filledTextUpTo(MAX_CERTIFICATE_TEXT),
  public_key: filledTextUpTo(MAX_KEY_TEXT),
})

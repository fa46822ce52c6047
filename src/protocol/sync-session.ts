import { z } from 'zod'
import type { CertificateItem } from '../core/certificate.ts'
import {
  MAX_CONNECTION_PATH,
  MAX_INSTANCE_INFO,
  MAX_KEY_TEXT,
  MAX_PROFILE,
  MAX_SHORT_TEXT,
} from '../core/limits.ts'
import { certificateChainSchema, encodeCertificateChain } from './certificate-item.ts'
import { filledTextUpTo, hexUuid, textOr, textUpTo, uuid } from './fields.ts'

/** `POST syncsessions/` (protocol §4). `instance` is a text of JSON. */
export interface SyncSessionRequest {
  /** A fresh random UUID. */
  readonly id: string
  readonly server_certificate_id: string
  readonly client_certificate_id: string
  readonly profile: string
  /** Root first, ending in the client certificate. Travels as a text of JSON. */
  readonly certificate_chain: readonly CertificateItem[]
  readonly connection_path: string
  readonly instance: string
  readonly nonce: string
  readonly client_ip: string
  readonly server_ip: string
  /** The client certificate's, over `"{nonce}:{id}"`. */
  readonly signature: string
}

/** The request as a server reads it. `id` and `nonce` are signed as they stand, so they are never respelt. */
export const syncSessionRequestSchema: z.ZodType<SyncSessionRequest> = z.object({
  id: hexUuid,
  server_certificate_id: uuid,
  client_certificate_id: uuid,
  profile: textOr('', MAX_PROFILE),
  certificate_chain: certificateChainSchema,
  connection_path: filledTextUpTo(MAX_CONNECTION_PATH),
  instance: filledTextUpTo(MAX_INSTANCE_INFO),
  nonce: hexUuid,
  client_ip: textOr('', MAX_SHORT_TEXT),
  server_ip: textOr('', MAX_SHORT_TEXT),
  signature: filledTextUpTo(MAX_KEY_TEXT),
})

/** The request's JSON. */
export function encodeSyncSessionRequest(request: SyncSessionRequest): Record<string, string> {
  return { ...request, certificate_chain: encodeCertificateChain(request.certificate_chain) }
}

/** What a client reads of the answer to it: both keys. */
export interface SyncSessionReply {
  /** The server certificate's, over the same text. */
  readonly signature: string
  /** The server's `instance`, a text of JSON. */
  readonly server_instance: string
}

/** The answer as a client reads it. */
export const syncSessionReplySchema: z.ZodType<SyncSessionReply> = z.object({
  signature: textUpTo(MAX_KEY_TEXT),
  server_instance: textUpTo(MAX_INSTANCE_INFO),
})

/** `GET syncsessions/ID/` (protocol §4). A server sends all of these; a client reads only that it is there. */
export interface SyncSessionView {
  readonly id?: string | undefined
  readonly start_timestamp?: string | undefined
  readonly last_activity_timestamp?: string | undefined
  readonly active?: boolean | undefined
  readonly client_certificate?: string | null | undefined
  readonly server_certificate?: string | null | undefined
  readonly profile?: string | undefined
  readonly connection_kind?: string | undefined
  readonly connection_path?: string | undefined
  readonly client_ip?: string | undefined
  readonly server_ip?: string | undefined
  readonly client_instance?: string | undefined
  readonly server_instance?: string | undefined
}

const said = z.string().optional().catch(undefined)
const saidOrNull = z.string().nullish().catch(undefined)

/** The answer as a client reads it: whatever it is, the session is there. */
export const syncSessionViewSchema: z.ZodType<SyncSessionView> = z
  .object({
    id: said,
    start_timestamp: said,
    last_activity_timestamp: said,
    active: z.boolean().optional().catch(undefined),
    client_certificate: saidOrNull,
    server_certificate: saidOrNull,
    profile: said,
    connection_kind: said,
    connection_path: said,
    client_ip: said,
    server_ip: said,
    client_instance: said,
    server_instance: said,
  })
  .catch({})

import { z } from 'zod'
import { hexUuid } from './fields.ts'

/** `POST nonces/` (protocol §4). A server sends all three; a client reads `id`. */
export interface NonceReply {
  readonly id: string
  /** When it was made, ISO 8601. */
  readonly timestamp?: string | undefined
  /** Whom it was made for. */
  readonly ip?: string | undefined
}

/** What a client reads of it. */
export const nonceReplySchema: z.ZodType<NonceReply> = z.object({
  id: hexUuid,
  timestamp: z.string().optional().catch(undefined),
  ip: z.string().optional().catch(undefined),
})

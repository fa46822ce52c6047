import { z } from 'zod'
import { MAX_COUNTER, MAX_FILTER_TEXT, MAX_FSIC_TEXT } from '../core/limits.ts'
import { STAGES, STAGE_STATUSES } from '../core/stages.ts'
import type { Stage, StageStatus } from '../core/stages.ts'
import { flag, integer, optional, textUpTo, uuid } from './fields.ts'
import { sumsReplySchema, sumsRequestSchema } from './set-sums.ts'
import type { SumsReply, SumsRequest } from './set-sums.ts'

/** `POST transfersessions/` (protocol §4). */
export interface TransferSessionRequest {
  readonly id: string
  readonly filter: string
  /** True: client to server. */
  readonly push: boolean
  readonly sync_session_id: string
  /** A text of JSON; `"{}"` says "I have nothing". */
  readonly client_fsic: string
  readonly records_total?: number | undefined
  /** With `JOINED_STAGES`: the stage to proceed to at once, through those before it. */
  readonly transfer_stage?: Stage | undefined
}

/** What stands for an FSIC that is missing (protocol §5). */
export const EMPTY_FSIC = '{}'

const fsic = optional(textUpTo(MAX_FSIC_TEXT))
const count = optional(integer(MAX_COUNTER))
const bytes = optional(integer(Number.MAX_SAFE_INTEGER))
const wantedStage = z
  .enum(STAGES, { error: 'Not a stage of a transfer.' })
  .nullish()
  .transform((value) => value ?? undefined)

/** The request as a server reads it. */
export const transferSessionRequestSchema: z.ZodType<TransferSessionRequest> = z.object({
  id: uuid,
  filter: textUpTo(MAX_FILTER_TEXT),
  push: flag,
  sync_session_id: uuid,
  client_fsic: fsic.transform((value) => (value === undefined || value === '' ? EMPTY_FSIC : value)),
  records_total: count,
  transfer_stage: wantedStage,
})

/** `PATCH transfersessions/ID/` (protocol §4). Null is read as not given. */
export interface TransferSessionPatch {
  readonly records_transferred?: number | undefined
  readonly records_total?: number | undefined
  readonly bytes_sent?: number | undefined
  readonly bytes_received?: number | undefined
  /** The stage to proceed to, through those before it. */
  readonly transfer_stage?: Stage | undefined
  /** Goes with `serializing`. */
  readonly client_fsic?: string | undefined
  /** With `TRANSFER_PREVIEW`: of a pull that is serialized, answer what would be queued. */
  readonly preview?: boolean | undefined
  /** With `SET_SUMS`: of a transfer that has nothing left to do, compare what both sides have. */
  readonly sums?: SumsRequest | undefined
}

/** The patch as a server reads it; other keys are ignored. */
export const transferSessionPatchSchema: z.ZodType<TransferSessionPatch> = z.object({
  records_transferred: count,
  records_total: count,
  bytes_sent: bytes,
  bytes_received: bytes,
  transfer_stage: wantedStage,
  client_fsic: fsic,
  preview: optional(flag),
  sums: optional(sumsRequestSchema),
})

/** What would be queued, as a server with `TRANSFER_PREVIEW` answers it. */
export interface TransferPreview {
  readonly models: readonly {
    readonly model: string
    readonly records: number
    readonly deletions: number
    readonly bytes: number
  }[]
  /** Undefined when they are too many. */
  readonly ids?: readonly string[] | undefined
}

/**
 * A transfer session as `GET`, `POST` and `PATCH` answer it (protocol §4). A server sends all of these; a
 * client counts on the stage and its status, and on what a finished stage has brought: `server_fsic` after
 * serializing, `records_total` after queuing, `id` and `filter` after POST.
 */
export interface TransferSessionView {
  readonly transfer_stage: Stage
  readonly transfer_stage_status: StageStatus
  readonly id?: string | undefined
  readonly start_timestamp?: string | undefined
  readonly last_activity_timestamp?: string | undefined
  readonly active?: boolean | undefined
  /** One prefix a line. */
  readonly filter?: string | undefined
  readonly push?: boolean | undefined
  readonly records_transferred?: number | undefined
  /** Null until known. */
  readonly records_total?: number | null | undefined
  readonly bytes_received?: number | null | undefined
  readonly bytes_sent?: number | null | undefined
  readonly sync_session?: string | undefined
  readonly server_fsic?: string | undefined
  readonly client_fsic?: string | undefined
  readonly preview?: TransferPreview | undefined
  readonly sums?: SumsReply | undefined
}

const said = z.string().optional().catch(undefined)
/** A claim that is too long is an error, not left out: without it a peer would be taken to know nothing. */
const saidFsic = textUpTo(MAX_FSIC_TEXT)
  .nullish()
  .transform((value) => value ?? undefined)
const saidFlag = z.boolean().optional().catch(undefined)
const saidNumber = z.number().nullish().catch(undefined)

const COUNT = `A whole number from 0 to ${MAX_COUNTER} is required.`
/** What a transfer is steered by: nonsense is an error. */
const saidCount = z
  .number({ error: COUNT })
  .refine((value) => Number.isInteger(value) && value >= 0 && value <= MAX_COUNTER, COUNT)
  .nullish()

const amount = z.number().int().min(0)
const preview: z.ZodType<TransferPreview> = z.object({
  models: z.array(z.object({ model: z.string(), records: amount, deletions: amount, bytes: amount })),
  ids: z.array(z.string()).optional().catch(undefined),
})

/** The answer as a client reads it. */
export const transferSessionViewSchema: z.ZodType<TransferSessionView> = z.object({
  transfer_stage: z.enum(STAGES, { error: 'Not a stage of a transfer.' }),
  transfer_stage_status: z.enum(STAGE_STATUSES, { error: 'Not a status of a stage.' }),
  id: said,
  start_timestamp: said,
  last_activity_timestamp: said,
  active: saidFlag,
  filter: textUpTo(MAX_FILTER_TEXT).optional().catch(undefined),
  push: saidFlag,
  records_transferred: saidCount.transform((value) => value ?? undefined),
  records_total: saidCount,
  bytes_received: saidNumber,
  bytes_sent: saidNumber,
  sync_session: said,
  server_fsic: saidFsic,
  client_fsic: said,
  preview: preview.optional().catch(undefined),
  sums: sumsReplySchema.optional().catch(undefined),
})

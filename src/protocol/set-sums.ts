import { z } from 'zod'
import { MAX_COUNTER, MAX_PARTITION, MAX_SET_SUMS } from '../core/limits.ts'
import { hexUuid, integer, textUpTo } from './fields.ts'

/** Of all records under the filter that an instance saved last: their number, and the sum of their hashes. */
export type InstanceSumItem = readonly [instance: string, records: number, sum: string]

/** The same of those in one partition. */
export type PartitionSumItem = readonly [partition: string, instance: string, records: number, sum: string]

/** With `SET_SUMS`: what a client asks or tells of sets once a transfer has nothing left to do (protocol §6). */
export interface SumsRequest {
  /** Of a pull: the instances whose partitions are asked for; without, the sums by instance are. */
  readonly of?: readonly string[] | undefined
  /** Of a push: the client's. */
  readonly instances?: readonly InstanceSumItem[] | undefined
  /** Of a push: the client's, for instances that differ. */
  readonly partitions?: readonly PartitionSumItem[] | undefined
}

/** What a server answers. Empty: there is nothing to compare now. */
export interface SumsReply {
  readonly instances?: readonly InstanceSumItem[] | undefined
  readonly partitions?: readonly PartitionSumItem[] | undefined
  /** Of a push: which of the client's instances differ at the server. */
  readonly differ?: readonly string[] | undefined
  /** Of a push: how many claims the server has forgotten, so that the next push sends again what they stood for. */
  readonly forgotten?: number | undefined
}

const records = integer(MAX_COUNTER)
const sum = z.string().regex(/^[0-9a-f]{16}$/, 'Not a sum of 16 hex digits.')
const instances = z.array(z.tuple([hexUuid, records, sum])).max(MAX_SET_SUMS)
const partitions = z.array(z.tuple([textUpTo(MAX_PARTITION), hexUuid, records, sum])).max(MAX_SET_SUMS)
const ids = z.array(hexUuid).max(MAX_SET_SUMS)

/** The request as a server reads it. */
export const sumsRequestSchema: z.ZodType<SumsRequest> = z.object({
  of: ids.optional(),
  instances: instances.optional(),
  partitions: partitions.optional(),
})

/** The answer as a client reads it. */
export const sumsReplySchema: z.ZodType<SumsReply> = z.object({
  instances: instances.optional(),
  partitions: partitions.optional(),
  differ: ids.optional(),
  forgotten: integer(MAX_COUNTER).optional(),
})

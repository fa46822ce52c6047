import { z } from 'zod'

/**
 * `GET morangoinfo/1/` (protocol §4). A server sends all of these and may add keys of its own; a client counts
 * on `capabilities` alone, and takes a peer without any for one that knows none.
 */
export interface MorangoInfo {
  readonly capabilities: readonly string[]
  readonly instance_hash?: string | undefined
  readonly instance_id?: string | undefined
  readonly system_os?: string | undefined
  /** A dotted number; some applications parse it. */
  readonly version?: string | undefined
  readonly [custom: string]: unknown
}

// Only `capabilities` is counted on: what else is there but of another type is left out, not an error.
const said = z.string().optional().catch(undefined)

const MOST_CAPABILITIES = 1000

/** What a client reads of it. */
export const morangoInfoSchema: z.ZodType<MorangoInfo> = z.looseObject({
  capabilities: z.array(z.string()).max(MOST_CAPABILITIES).default([]),
  instance_hash: said,
  instance_id: said,
  system_os: said,
  version: said,
})

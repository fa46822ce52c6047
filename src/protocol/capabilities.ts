/** The capabilities of protocol §4. Unknown names are ignored, so new ones may be added. */
export const CAPABILITIES = [
  'ALLOW_CERTIFICATE_PUSHING',
  'ASYNC_OPERATIONS',
  'FSIC_V2_FORMAT',
  'GZIP_BUFFER_POST',
  // Ours: a server tells what a pull would bring.
  'TRANSFER_PREVIEW',
  // Ours: the POST of a transfer session may name the stage to go on to.
  'JOINED_STAGES',
  // Ours: once nothing is left to transfer, both compare sums of what they have.
  'SET_SUMS',
  // Ours: what transports can say to their own kind, and add themselves.
  'PACKED_BUFFERS',
  'PACKED_BUFFERS_ZSTD',
] as const

export type Capability = (typeof CAPABILITIES)[number]

/** The header in which a client lists its capabilities with every request. */
export const CAPABILITIES_HEADER = 'x-morango-capabilities'

/** What both sides can: the set a session works with. */
export function effectiveCapabilities(
  own: Iterable<string>,
  theirs: ReadonlySet<string>,
): ReadonlySet<string> {
  return new Set([...own].filter((name) => theirs.has(name)))
}

/** Reads the header's value; missing or empty means none. */
export function parseCapabilities(header: string | null | undefined): ReadonlySet<string> {
  return new Set((header ?? '').split(/\s+/u).filter((name) => name !== ''))
}

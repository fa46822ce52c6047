import type { Bytes } from './bytes.ts'
import type { Compressor } from './compressor.ts'

/** A way of our own to carry buffers (protocol §4 allows for capabilities of one's own). */
export interface Packing {
  readonly capability: string
  readonly contentType: string
  pack(bytes: Bytes): Promise<Bytes>
  unpack(packed: AsyncIterable<Bytes>): AsyncIterable<Uint8Array>
}

/**
 * The packings that a compressor can do, best first. They have content types of their own, for as an encoding `fetch`
 * would unpack them bit by bit, which takes Node twice the time of all the rest.
 */
export function packingsOf(compressor: Compressor): readonly Packing[] {
  const { zstd } = compressor
  return [
    ...(zstd === undefined
      ? []
      : [
          {
            capability: 'PACKED_BUFFERS_ZSTD',
            contentType: 'application/vnd.morango.packed+zstd',
            pack: (bytes: Bytes) => zstd.pack(bytes),
            unpack: (packed: AsyncIterable<Bytes>) => zstd.unpack(packed),
          },
        ]),
    {
      capability: 'PACKED_BUFFERS',
      contentType: 'application/vnd.morango.packed+gzip',
      pack: (bytes) => compressor.gzip(bytes),
      unpack: (packed) => compressor.gunzip(packed),
    },
  ]
}

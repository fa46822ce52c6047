import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { constants, createGunzip, createZstdDecompress, gzip, zstdCompress } from 'node:zlib'
import type { Gunzip, ZstdDecompress } from 'node:zlib'
import type { Bytes } from '../transport/http/bytes.ts'
import { notInFormat } from '../transport/http/compressor.ts'
import type { Compressor } from '../transport/http/compressor.ts'

const packGzip = promisify(gzip)
const packZstd = promisify(zstdCompress)

/** How much comes out at once. Smaller pieces cost more, and a larger one may be most of a bomb. */
const OUTPUT = 256 * 1024

/** The largest window that unpacking reserves memory for: 8 MiB. What packs here takes half a megabyte. */
const WINDOW_LOG = 23

/** Gzip and Zstandard by `node:zlib`, several times faster than the Web's streams. */
export const zlibCompressor: Compressor = {
  gzip: async (bytes) => await packGzip(bytes, { level: 3 }),
  gunzip: (packed) => unpacked('Gzip', 'gzip', packed, () => createGunzip({ chunkSize: OUTPUT })),
  zstd: {
    // Higher levels take much longer over packed records and save a hundredth.
    pack: async (bytes) => await packZstd(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
    unpack: (packed) =>
      unpacked('Zstandard', 'zstd', packed, () =>
        createZstdDecompress({
          chunkSize: OUTPUT,
          params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG },
        }),
      ),
  },
}

async function* unpacked(
  title: string,
  format: string,
  packed: AsyncIterable<Bytes>,
  create: () => Gunzip | ZstdDecompress,
): AsyncGenerator<Uint8Array, undefined> {
  const source = Readable.from(packed, { objectMode: false })
  const unpacking = create()
  // `pipe` does not carry failures on.
  source.once('error', (error) => unpacking.destroy(error))
  try {
    for await (const piece of source.pipe(unpacking)) {
      if (piece instanceof Uint8Array) yield piece
    }
    return undefined
  } catch (error) {
    throw notInFormat(title, format, error)
  } finally {
    unpacking.destroy()
    source.destroy()
  }
}

import { promisify } from 'node:util'
import { constants, gunzip, gzip } from 'node:zlib'
import { MorangoError } from '../core/errors.ts'
import type { Compressor } from '../transport/http/compressor.ts'

const pack = promisify(gzip)
const unpack = promisify(gunzip)

/** Gzip by `node:zlib`, several times faster than the Web's streams. */
export const zlibCompressor: Compressor = {
  gzip: async (bytes) => new Uint8Array(await pack(bytes, { level: 3 })),
  gunzip: async (bytes, limit) => {
    try {
      const unpacked = await unpack(bytes, {
        finishFlush: constants.Z_FINISH,
        ...(Number.isFinite(limit) ? { maxOutputLength: Math.max(1, limit) } : {}),
      })
      return new Uint8Array(unpacked)
    } catch (error) {
      if (error instanceof RangeError) {
        throw new MorangoError('payload-too-large', 'The body unpacks to more than is allowed.', { cause: error })
      }
      const detail = 'Gzip error - the body is not valid gzip.'
      throw new MorangoError('malformed-message', detail, { cause: error, details: { body: { detail } } })
    }
  },
}

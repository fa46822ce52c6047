import { TABLES } from './data.ts'
import { databaseOf, type Place } from './databases/kinds.ts'
import { withProcess } from './processes/calls.ts'
import type { PlainSourceApi } from './processes/plain-source.ts'
import type { PlainTargetApi } from './processes/plain-target.ts'

/** One plain copy. */
export interface PlainCopy {
  readonly seconds: number
  readonly bytes: number
  readonly peakMemoryMb: { readonly source: number; readonly target: number }
}

/**
 * Moves the rows by the plainest means, as a reference: select all, JSON, gzip, HTTP, gunzip, parse, insert. Two
 * fresh processes, the same rows, tables, indexes and settings as for the sync.
 */
export async function runPlainCopy(source: Place, target: Place, records: number): Promise<PlainCopy> {
  await databaseOf(source.kind).restore(source.at)
  await databaseOf(target.kind).restore(target.at)
  return await withProcess<PlainSourceApi, PlainCopy>(
    'plain-source.ts',
    [],
    async (sending) =>
      await withProcess<PlainTargetApi, PlainCopy>('plain-target.ts', [], async (receiving) => {
        const { url } = await sending.call('start', source)
        await receiving.call('open', target)
        const { seconds, bytes, records: copied } = await receiving.call('fetch', url)
        if (copied !== records)
          throw new Error(`${copied} of ${records} rows of ${TABLES.join(', ')} were copied`)
        const peakMemoryMb = {
          source: await sending.peakMemoryMb(),
          target: await receiving.peakMemoryMb(),
        }
        await receiving.call('close')
        return { seconds, bytes, peakMemoryMb }
      }),
  )
}

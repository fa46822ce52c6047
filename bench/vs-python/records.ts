import { createHash } from 'node:crypto'
import type { Fields, Peer } from '../../interop/peer.ts'

/** Rows of a kind for each of the others: a hundred visits a person, five a region. */
const VISITS_PER_PERSON = 100
const PEOPLE_PER_REGION = 5
/** Commands are lines of JSON; these are of some hundred kilobytes. */
const PAGE = 1000

/**
 * Has a peer write `count` records of the interop profile: regions, people, and mostly visits, which refer to both.
 * They are like the logs of Kolibri, with which the original's figures were first taken: a partition for each
 * person, random source ids, a value that does not compress.
 *
 * @param lot - numbers of one lot are never those of another
 * @returns the visits' ids
 */
export async function createRecords(
  peer: Peer,
  { dataset, lot, count }: { readonly dataset: string; readonly lot: string; readonly count: number },
): Promise<string[]> {
  const people = Math.ceil(count / (VISITS_PER_PERSON + 1))
  const regions = Math.ceil(people / PEOPLE_PER_REGION)
  const common = { dataset_id: dataset }
  const create = async (model: 'region' | 'person' | 'visit', rows: readonly Fields[]): Promise<string[]> => {
    const ids: string[] = []
    for (let from = 0; from < rows.length; from += PAGE) {
      // oxlint-disable-next-line no-await-in-loop
      ids.push(...(await peer.create({ model, rows: rows.slice(from, from + PAGE) })))
    }
    return ids
  }
  const regionIds = await create(
    'region',
    numbers(regions).map((n) => ({ ...common, code: `${lot}-${n}`, name: `Region ${n} of ${lot}` })),
  )
  const personIds = await create(
    'person',
    numbers(people).map((n) => ({ ...common, name: `Person ${n} of ${lot}`, home: pick(regionIds, n) })),
  )
  return await create(
    'visit',
    numbers(count - regions - people).map((n) => {
      const noise = createHash('sha256').update(`${lot} ${n}`).digest()
      const person = noise.readUInt32LE(0) % people
      return {
        ...common,
        person: pick(personIds, person),
        region: pick(regionIds, person),
        note: noise.subarray(16).toString('hex'),
      }
    }),
  )
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

function pick(ids: readonly string[], index: number): string {
  const id = ids[index % ids.length]
  if (id === undefined) throw new Error('There is nothing to refer to')
  return id
}

import { HALF, HASH_FACTORS, HASH_PRIME } from '../core/version-hash.ts'

type Factors = (typeof HASH_FACTORS)['x']

/**
 * What a trigger on deletions from the Store does: takes the version out of the count and the sum of its instance and
 * partition (`saved-partitions.ts`). The engine deletes nothing there. What something else removes is missed when sets
 * are compared with those of a peer, and sent again.
 *
 * @param digits - expression: the number that `core/version-hash.ts` makes of the old row's id
 */
export function removedFromStore(digits: string): string {
  const combined = ([upper, lower, counter, added]: Factors): string =>
    `((d.digits >> 30) * ${upper} + (d.digits & ${0x3fff_ffff}) * ${lower}
      + cast(old.last_saved_counter as bigint) * ${counter} + ${added}) % ${HASH_PRIME}`
  const half = (square: string, added: string): string =>
    `(select (h.${square} * h.${square} + h.${added}) % ${HASH_PRIME} from (
      select ${combined(HASH_FACTORS.x)} as a, ${combined(HASH_FACTORS.y)} as b from (
        select ${digits} as digits) d) h)`
  return `update morango_instance_partition set records = records - 1,
      sum_high = (sum_high + ${HALF} - ${half('a', 'b')}) % ${HALF},
      sum_low = (sum_low + ${HALF} - ${half('b', 'a')}) % ${HALF}
    where instance_id = old.last_saved_instance and partition = old.partition;
    delete from morango_instance_partition where records = 0`
}

/** Takes one of the two values as it is. */
export type ChoosingPolicy<Column extends string = string> =
  | 'ours'
  | 'theirs'
  | {
      /** The value of the side whose value of this column is greater, mostly a time of the last edit. */
      readonly latestBy: Column
    }

/**
 * How the two values of a column become one when both sides have edited a record.
 *
 * - `ours`, `theirs`: that of the peer that merges, that which arrived
 * - `{ latestBy: 'edited_at' }`: that of the side whose `edited_at` is greater
 * - `min`, `max`: the smaller, the greater; a null counts as none
 * - `sum`: what both sides have added or taken away since they were last equal, for integers and decimals
 * - `union`: the elements of both, for JSON lists that stand for sets
 *
 * All but `ours` and `theirs` come to the same whichever side merges, and however often: peers that settle the same
 * conflict on their own have the same values before they meet. With `ours` and `theirs` they have them after.
 */
export type MergePolicy<Column extends string = string> =
  | ChoosingPolicy<Column>
  | 'min'
  | 'max'
  | 'sum'
  | 'union'

/** Policies by column; `*` is for those not named, else they keep ours. */
export type MergePolicies<Column extends string = string> = {
  readonly [Name in Column]?: MergePolicy<Column>
} & { readonly '*'?: ChoosingPolicy<Column> }

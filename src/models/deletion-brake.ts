/** How many deletions of a model are too many to be taken for meant. */
export interface DeletionBrake {
  /** The share of the model's records, from 0 to 1. */
  readonly share: number
  /** So many deletions are never too many. */
  readonly count: number
}

/** What holds where nothing else is said: over 30 % of a model's records, and over 100. */
export const DEFAULT_DELETION_BRAKE: DeletionBrake = { share: 0.3, count: 100 }

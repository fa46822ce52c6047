import { DatabaseSync } from 'node:sqlite'

/** How the original is read: as it is, or with some of what slows it down taken away. */
export interface Reading {
  readonly title: string
  /** Whether its `time.sleep` is left as it is. */
  readonly sleeps: boolean
  /**
   * Whether it keeps the index on `morango_recordmaxcounterbuffer.transfer_session_id`. In 0.8.2 SQLite's planner
   * chooses it where the one on `model_uuid` would do, and a first pull without sleeps takes three times as long; in
   * 0.8.15 it was measured to make no difference.
   */
  readonly misleadingIndex: boolean
}

export type ReadingName = 'as-is' | 'no-sleeps' | 'kindest'

/** All readings. */
export const READINGS: Readonly<Record<ReadingName, Reading>> = {
  'as-is': { title: 'as it is', sleeps: true, misleadingIndex: true },
  'no-sleeps': { title: 'no sleeps', sleeps: false, misleadingIndex: true },
  kindest: { title: 'kindest', sleeps: false, misleadingIndex: false },
}

/** Their names, in the order of the report. */
export const READING_NAMES: readonly ReadingName[] = ['as-is', 'no-sleeps', 'kindest']

/** Whether there is a reading of this name. */
export function isReadingName(name: string): name is ReadingName {
  return Object.hasOwn(READINGS, name)
}

const TABLE = 'morango_recordmaxcounterbuffer'
const COLUMN = 'transfer_session_id'

/**
 * Drops the index that misleads the planner from a database of the original.
 *
 * @throws Error when there is not exactly one such index, as then the reading would not be what it says
 */
export function dropMisleadingIndex(path: string): void {
  const database = new DatabaseSync(path)
  try {
    const indexes = database
      .prepare(
        `select list.name from pragma_index_list('${TABLE}') list
          where (select group_concat(name) from pragma_index_info(list.name)) = '${COLUMN}'`,
      )
      .all()
    const [index] = indexes
    if (index === undefined || indexes.length > 1)
      throw new Error(`There are ${indexes.length} indexes on ${TABLE}.${COLUMN} instead of one`)
    database.exec(`drop index "${String(index['name'])}"`)
  } finally {
    database.close()
  }
}

import type { EngineContext } from './storage/context.ts'
import {
  type Conflict,
  type ConflictDetails,
  type ConflictQuery,
  countConflicts,
  dismissConflicts,
  readConflict,
  readConflictRow,
  readConflicts,
  settleConflict,
} from './storage/conflicts.ts'
import { restoreConflict } from './storage/restore-conflict.ts'

/** The conflicts that this database has settled. They are kept here and never travel. */
export interface Conflicts {
  /** The latest first; open ones unless another state is asked for. */
  list(query?: ConflictQuery): Promise<Conflict[]>
  count(query?: ConflictQuery): Promise<number>
  /** One with both contents, field by field. @throws MorangoError `unknown-conflict` */
  show(id: number): Promise<ConflictDetails>
  /**
   * Writes the content that lost into its row, as an edit of the application's: it is validated, goes through the
   * table and its triggers, and travels with the next sync. A record that was deleted is created again.
   *
   * @param options.side which content, if not the one that lost; must be said when both were merged
   * @throws MorangoError `unknown-conflict`, `invalid-argument`, `not-restorable`
   */
  restore(id: number, options?: { side?: 'ours' | 'theirs' | undefined }): Promise<void>
  /** Takes one from the list of those open. @throws MorangoError `unknown-conflict` */
  dismiss(id: number): Promise<void>
  /** The same for all that are open, or those of a model. @returns how many */
  dismissAll(query?: { model?: string | undefined; recordId?: string | undefined }): Promise<number>
}

/** Makes the {@link Conflicts} of a database. */
export function createConflicts(context: EngineContext): Conflicts {
  const { kysely } = context.database
  const now = (): string => context.clock.now().toISOString()
  return {
    list: (query) => readConflicts(kysely, query),
    count: (query) => countConflicts(kysely, query),
    show: (id) => readConflict(kysely, id),
    restore: (id, { side } = {}) => restoreConflict(context, id, side),
    dismiss: async (id) => {
      await readConflictRow(kysely, id)
      await settleConflict(kysely, id, 'dismissed', now())
    },
    dismissAll: (query = {}) => dismissConflicts(kysely, query, now()),
  }
}

import type { Database } from '../storage/dialect.ts'

/** A database of a test, which outlives the processes that open it. */
export interface TestDatabase {
  /** Opens it as a new process would: when a peer starts, and again after it was killed. */
  open(): Database | Promise<Database>
  /** What the database does when a process dies: takes back what that had begun and not committed. */
  crash(): void | Promise<void>
  /** Gives everything back. Nothing of it is needed any more. */
  destroy(): void | Promise<void>
}

/** Makes the database of one peer. */
export type MakeTestDatabase = () => TestDatabase | Promise<TestDatabase>

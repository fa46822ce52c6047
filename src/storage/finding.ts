/** How bad a {@link Finding} is: `note` is worth knowing, `warning` will hurt, `error` keeps something from working. */
export type Severity = 'ok' | 'note' | 'warning' | 'error'

/** What a check has found. */
export interface Finding {
  /** Stable, for programs. */
  readonly code: string
  readonly severity: Severity
  /** One sentence. */
  readonly sentence: string
  /** What to do, a sentence or two; undefined when there is nothing to do. */
  readonly mend: string | undefined
}

// The codes are those of PostgreSQL's manual, appendix A.
const BUSY: ReadonlySet<string> = new Set(['40001', '40P01', '55P03'])
const ROW_FAULTS: ReadonlySet<string> = new Set([
  '44000', // of a view's check option
  '54000', // a value too long for an index
  'P0001', // raised by a trigger of the application
])
const DATA_EXCEPTION = '22'
const CONSTRAINT_VIOLATION = '23'

/** Whether another transaction was in the way: a serialization failure, a deadlock, a lock not to be had. */
export function isBusy(error: unknown): boolean {
  return BUSY.has(codeOf(error))
}

/** Whether there was no room left on the disk. */
export function isFull(error: unknown): boolean {
  return codeOf(error) === '53100'
}

/** Whether a row could not be written for what is in it. */
export function isRowFault(error: unknown): boolean {
  const code = codeOf(error)
  return code.startsWith(DATA_EXCEPTION) || code.startsWith(CONSTRAINT_VIOLATION) || ROW_FAULTS.has(code)
}

/**
 * The ids that an error's detail names: of a row that breaks a check or a not-null constraint the server shows all values
 * to who may read them. Native `uuid` columns are shown with dashes.
 */
export function faultyIds(error: Error, ids: readonly string[]): ReadonlySet<string> {
  if (!('detail' in error) || typeof error.detail !== 'string') return new Set()
  const detail = error.detail.replaceAll('-', '')
  return new Set(ids.filter((id) => detail.includes(id)))
}

/** The SQLSTATE of an error, empty for one that has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

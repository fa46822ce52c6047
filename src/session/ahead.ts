/** Work that is started before it is waited for: a failure is seen when it is. */
export function ahead<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {})
  return work
}

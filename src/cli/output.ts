import process from 'node:process'

/** Lines for people, on the standard output. */
export function printLines(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** One JSON document, on the standard output. What has no value is null, so that every key is there. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, (_key, member: unknown) => member ?? null, 2)
  process.stdout.write(`${text}\n`)
}

/** A remark beside the result, on the standard error. */
export function printNote(text: string): void {
  process.stderr.write(`${text}\n`)
}

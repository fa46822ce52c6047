/** Emphasis, or nothing of it where there is no colour. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  yellow(text: string): string
}

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], yellow: [33, 39] } as const

const CODES: ReadonlySet<string> = new Set(Object.values(STYLES).flat().map(sequence))

/** A paint that leaves text as it is when not `on`. */
export function createPaint(on: boolean): Paint {
  const style =
    ([open, close]: readonly [number, number]) =>
    (text: string): string =>
      on ? sequence(open) + text + sequence(close) : text
  return {
    bold: style(STYLES.bold),
    dim: style(STYLES.dim),
    red: style(STYLES.red),
    yellow: style(STYLES.yellow),
  }
}

/** Whether a text is one of the sequences that a {@link Paint} makes, and nothing else. */
export function isPaint(text: string): boolean {
  return CODES.has(text)
}

function sequence(code: number): string {
  return `\u001B[${code}m`
}

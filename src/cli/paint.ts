/** Emphasis, or nothing of it where there is no colour. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  yellow(text: string): string
}

/** A paint that leaves text as it is when not `on`. */
export function createPaint(on: boolean): Paint {
  const style =
    (open: number, close: number) =>
    (text: string): string =>
      on ? `\u001B[${open}m${text}\u001B[${close}m` : text
  return { bold: style(1, 22), dim: style(2, 22), red: style(31, 39), yellow: style(33, 39) }
}

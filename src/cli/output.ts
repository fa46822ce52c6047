import process from 'node:process'
import { inspect } from 'node:util'
import { printable, printableJson } from '../core/printable.ts'
import { isPaint } from './paint.ts'
import { terminalOf } from './terminal.ts'

/** An output of the command. Nothing in the command writes to one but by this file. */
type Stream = 'stdout' | 'stderr'

// oxlint-disable-next-line no-control-regex
const SEQUENCE = /(\u001B\[\d{1,2}m)/u

/** Clears what is left of a line that was drawn over. */
const CLEAR = '\u001B[K'

/** Lines for people, on the standard output. */
export function printLines(lines: readonly string[]): void {
  writeLines('stdout', lines)
}

/** One JSON document, on the standard output. What has no value is null, so that every key is there. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, (_key, member: unknown) => member ?? null, 2)
  process.stdout.write(`${printableJson(text)}\n`)
}

/** A remark beside the result, on the standard error. */
export function printNote(text: string): void {
  writeLines('stderr', [text])
}

/** Lines beside the result, on the standard error. */
export function printNotes(lines: readonly string[]): void {
  writeLines('stderr', lines)
}

/** A text of several lines that the command line's own library has made: help, or what is wrong with the arguments. */
export function printText(stream: Stream, text: string): void {
  process[stream].write(text.split('\n').map(showOn(stream)).join('\n'))
}

/** A script of ours, as it is. */
export function printScript(text: string): void {
  process.stdout.write(text)
}

/** What is to be read of an error by who looks for its place: its stack and its causes. */
export function errorLines(error: unknown): string[] {
  return inspect(error, { depth: 4 }).split('\n')
}

/** The beginning of a line on the standard error that is answered on the same line. */
export function printPrompt(text: string): void {
  process.stderr.write(showOn('stderr')(text))
}

/** Draws the last line of the standard error anew, below lines that stay. */
export function redraw(lines: readonly string[], live: string): void {
  const show = showOn('stderr')
  const staying = lines.map((line) => `${show(line)}${CLEAR}\n`).join('')
  process.stderr.write(`\r${staying}${show(live)}${CLEAR}`)
}

function writeLines(stream: Stream, lines: readonly string[]): void {
  process[stream].write(`${lines.map(showOn(stream)).join('\n')}\n`)
}

/** Makes of a line what may reach an output: our own colours stay, whatever else a terminal would obey is escaped. */
function showOn(stream: Stream): (line: string) => string {
  if (!terminalOf(process[stream]).color) return printable
  return (line) =>
    line
      .split(SEQUENCE)
      .map((part) => (isPaint(part) ? part : printable(part)))
      .join('')
}

import { printable } from '../core/printable.ts'

/** Numbers, times and texts as people read them. */

const COUNT = new Intl.NumberFormat('en-US')

/** `12,345` */
export function count(n: number): string {
  return COUNT.format(n)
}

/** `1 record`, `12,345 records` */
export function counted(n: number, one: string, many: string = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** `999 B`, `1.2 kB`, `34 MB` */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`
  let value = n
  let unit = ''
  for (unit of ['kB', 'MB', 'GB', 'TB']) {
    value /= 1000
    if (value < 999.5) break
  }
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${unit}`
}

/** `340 ms`, `3.2 s`, `42 s`, `2m 05s`, `1h 02m` */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m ${two(seconds % 60)}s`
  return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`
}

/** `2026-07-29 12:03`, by the clock on the wall here. What is no time stays as it is. */
export function localTime(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** Cut to `width`, its end marked. */
export function truncate(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

/** On one line, and with nothing that would make a terminal do things: texts come from peers, too. */
export function oneLine(text: string): string {
  return printable(
    text
      .replace(/\s+/gu, ' ')
      .replace(/\p{Cc}/gu, '?')
      .trim(),
  )
}

/** With a full stop, if it has no end of its own. */
export function sentence(text: string): string {
  return /[.!?…]$/u.test(text) ? text : `${text}.`
}

/** Broken into lines of at most `width` at its spaces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

function two(n: number): string {
  return String(n).padStart(2, '0')
}

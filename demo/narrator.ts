import { styleText } from 'node:util'

/** Tells what happens, 80 columns wide. Colours only where the terminal shows them. */
export interface Narrator {
  /** The title and a few words under it. */
  title(title: string, text: string): void
  chapter(title: string): void
  /** What a device does; `aside` stands at the right edge. */
  says(device: string, text: string, aside?: string): void
  /** A statement of SQL that a device runs. */
  runs(device: string, statement: string): void
  /** One line of a table. */
  row(cells: readonly string[], widths: readonly number[]): void
  /** Whether something holds. A claim that does not is counted. */
  claim(text: string, holds: boolean, instead?: string): void
  /** What goes on at this moment; on a terminal only, and the next line takes its place. */
  progress(text: string): void
  end(text: string): void
  readonly claims: { readonly held: number; readonly broken: number }
}

type Style = Parameters<typeof styleText>[0]

const WIDTH = 79
const DEVICE_WIDTH = 8
const graphemes = new Intl.Segmenter()
const COLORS: Readonly<Record<string, Style>> = { Remote: 'yellow', City: 'cyan', Cloud: 'magenta' }

export function createNarrator(out: NodeJS.WriteStream): Narrator {
  const claims = { held: 0, broken: 0 }
  const paint = (style: Style, text: string): string => styleText(style, text, { stream: out })
  const print = (line: string): void => {
    out.write(`${out.isTTY ? '\r\u{1b}[K' : ''}${line}\n`)
  }
  const device = (name: string): string => paint(COLORS[name] ?? 'bold', name.padEnd(DEVICE_WIDTH))
  /** Text that wraps, with something in front of its first line. */
  const block = (front: string, indent: number, text: string, style: (line: string) => string): void => {
    wrap(text, WIDTH - indent).forEach((line, index) => {
      print((index === 0 ? front : ' '.repeat(indent)) + style(line))
    })
  }

  return {
    claims,

    title(title, text) {
      print(paint('bold', title))
      for (const line of wrap(text, WIDTH)) print(line)
    },

    chapter(title) {
      print('')
      print(paint('bold', title))
    },

    says(name, text, aside = '') {
      const line = `  ${name.padEnd(DEVICE_WIDTH)}${text}`
      if (aside === '' || length(line) + length(aside) + 2 > WIDTH) {
        block(`  ${device(name)}`, 2 + DEVICE_WIDTH, aside === '' ? text : `${text}, ${aside}`, String)
      } else {
        const gap = ' '.repeat(WIDTH - length(line) - length(aside))
        print(`  ${device(name)}${text}${gap}${paint('dim', aside)}`)
      }
    },

    runs(name, statement) {
      block(`  ${device(name)}`, 2 + DEVICE_WIDTH, statement, (line) => paint('dim', line))
    },

    row(cells, widths) {
      print(`  ${cells.map((cell, index) => pad(cell, widths[index] ?? 0)).join('  ')}`.trimEnd())
    },

    claim(text, holds, instead) {
      claims[holds ? 'held' : 'broken']++
      const mark = holds ? paint('green', '✓') : paint(['red', 'bold'], '✗')
      const full = holds || instead === undefined ? text : `${text} — but ${instead}`
      block(`  ${mark} `, 4, full, (line) => (holds ? line : paint('red', line)))
    },

    progress(text) {
      if (out.isTTY) out.write(`\r\u{1b}[K  ${paint('dim', text.slice(0, WIDTH - 2))}`)
    },

    end(text) {
      print('')
      for (const line of wrap(text, WIDTH)) print(claims.broken === 0 ? line : paint('red', line))
    },
  }
}

/** `1234` as `1,234`. */
export function count(value: number, one = '', many = `${one}s`): string {
  const digits = value.toLocaleString('en')
  return one === '' ? digits : `${digits} ${value === 1 ? one : many}`
}

export function kilobytes(bytes: number): string {
  return `${count(Math.round(bytes / 1000))} kB`
}

export function milliseconds(ms: number): string {
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && length(line) + 1 + length(word) > width) {
        lines.push(line)
        line = word
      } else line += line === '' ? word : ` ${word}`
    }
    lines.push(line)
  }
  return lines
}

/** Negative widths pad on the left. */
function pad(text: string, width: number): string {
  const gap = ' '.repeat(Math.max(0, Math.abs(width) - length(text)))
  return width < 0 ? gap + text : text + gap
}

function length(text: string): number {
  return [...graphemes.segment(text)].length
}

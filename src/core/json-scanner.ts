import { MorangoError } from './errors.ts'

/**
 * A value of JSON in Python's dialect, where numbers are read as `N`; `NaN` and the infinities are always
 * of type `number`.
 */
export type JsonTree<N> =
  | null
  | boolean
  | string
  | number
  | N
  | readonly JsonTree<N>[]
  | { readonly [key: string]: JsonTree<N> }

/** A value of JSON as Python reads and writes it: also `NaN`, the infinities, and integers of any size. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

// Deeper nesting than any record has; it keeps a hostile text from exhausting the stack.
const MAX_DEPTH = 500
const WHITESPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
const CONSTANT = /null|true|false|NaN|-?Infinity/y
const ESCAPE = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y
const QUOTE_CODE = 0x22
// Whatever needs no second look inside a string.
// oxlint-disable-next-line no-control-regex
const PLAIN = /[^"\\\u0000-\u001f]*/y
const BACKSLASH_CODE = 0x5c

/**
 * A cursor over a JSON text in the dialect that Python reads (`NaN`, `Infinity` and `-Infinity` are values).
 * Every method throws MorangoError `malformed-message` where the text is no such JSON; the message names the
 * position and never quotes the text, which may be somebody's data.
 */
export class JsonScanner {
  readonly text: string
  position = 0

  constructor(text: string) {
    this.text = text
  }

  fail(): never {
    throw new MorangoError('malformed-message', `Malformed JSON at position ${this.position}`, {
      details: { position: this.position },
    })
  }

  skipWhitespace(): void {
    const code = this.text.charCodeAt(this.position)
    if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) this.#take(WHITESPACE)
  }

  /** Moves past `character` and any whitespace around it, if it comes next. */
  accept(character: string): boolean {
    this.skipWhitespace()
    if (this.text[this.position] !== character) return false
    this.position++
    this.skipWhitespace()
    return true
  }

  /** Fails unless only whitespace is left. */
  expectEnd(): void {
    this.skipWhitespace()
    if (this.position !== this.text.length) this.fail()
  }

  readString(): string {
    const raw = this.#rawString()
    if (!raw.includes('\\')) return raw.slice(1, -1)
    const value: unknown = JSON.parse(raw)
    return typeof value === 'string' ? value : this.fail()
  }

  /** Moves past one value and gives its text. */
  skipValue(depth = 0): string {
    const start = this.position
    const first = this.text[start]
    if (first === '"') return this.#rawString()
    if (first === '{') this.members(depth, () => void this.skipValue(depth + 1))
    else if (first === '[') this.elements(depth, () => void this.skipValue(depth + 1))
    else if (this.#take(CONSTANT) === undefined && this.#take(NUMBER) === undefined) this.fail()
    return this.text.slice(start, this.position)
  }

  /** Moves over an object; `onMember` must read the value it is called at. */
  members(depth: number, onMember: (key: string) => void): void {
    if (depth > MAX_DEPTH || !this.accept('{')) this.fail()
    if (this.accept('}')) return
    do {
      const key = this.readString()
      if (!this.accept(':')) this.fail()
      onMember(key)
    } while (this.accept(','))
    this.#close('}')
  }

  /** Moves over an array; `onElement` must read the value it is called at. */
  elements(depth: number, onElement: () => void): void {
    if (depth > MAX_DEPTH || !this.accept('[')) this.fail()
    if (this.accept(']')) return
    do {
      onElement()
    } while (this.accept(','))
    this.#close(']')
  }

  // Whitespace after it belongs to nobody: a raw value ends with its bracket.
  #close(bracket: string): void {
    this.skipWhitespace()
    if (this.text[this.position] !== bracket) this.fail()
    this.position++
  }

  // Patterns for the plain stretches only: one for a whole string would exhaust its stack on a long one.
  #rawString(): string {
    const { text } = this
    const start = this.position
    if (text.charCodeAt(start) !== QUOTE_CODE) this.fail()
    this.position++
    for (;;) {
      PLAIN.lastIndex = this.position
      PLAIN.test(text)
      this.position = PLAIN.lastIndex
      const code = text.charCodeAt(this.position)
      if (code === QUOTE_CODE) {
        this.position++
        return text.slice(start, this.position)
      }
      if (code !== BACKSLASH_CODE) this.fail()
      this.position++
      if (this.#take(ESCAPE) === undefined) this.fail()
    }
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position
    if (!pattern.test(this.text)) return undefined
    const start = this.position
    this.position = pattern.lastIndex
    return this.text.slice(start, this.position)
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const LETTER_U = 0x75

/** Why a scan stops before the end of its bytes. */
export type JsonEvent = 'open' | 'comma' | 'close'

/**
 * Walks over the bytes of a JSON text without making anything of them, piece by piece as they come. It counts what
 * `JSON.parse` would have to build, and stops where the outermost containers open, close and have their commas. It
 * does not check the grammar: that is left to `JSON.parse`, which gets each part afterwards.
 */
export class JsonByteScanner {
  /** How many containers are open. */
  depth = 0
  /** Containers and commas so far: as many as there are values, or one less. */
  values = 0
  /** UTF-8 bytes of the strings since {@link restartElement}, their escapes resolved. */
  elementText = 0
  /** All bytes since {@link restartElement}. */
  elementBytes = 0
  /** Containers and commas since {@link restartElement}. */
  elementValues = 0
  /** Bytes of the number or word that the scan is in. */
  wordLength = 0
  /** The longest of these so far. */
  longestWord = 0
  /** The deepest nesting so far. */
  deepest = 0
  /** Why the last scan stopped; undefined: its piece is over. */
  event: JsonEvent | undefined
  /** Whether the bracket of the last `open` or `close` is that of an object. */
  isObject = false
  /** Commas and brackets are events down to this depth. */
  eventDepth = 1

  #inString = false
  /** 0: none; 1: after the backslash; 2 to 5: hexadecimal digits to come, plus one. */
  #escape = 0
  #escaped = 0

  restartElement(): void {
    this.elementText = 0
    this.elementBytes = 0
    this.elementValues = 0
  }

  /**
   * Goes on from `from` to the next event or the end of the piece.
   *
   * @returns the position after the last byte that was looked at
   */
  scan(bytes: Uint8Array, from: number): number {
    const to = this.#walk(bytes, from)
    this.elementBytes += to - from
    return to
  }

  #walk(bytes: Uint8Array, from: number): number {
    this.event = undefined
    let at = from
    while (at < bytes.length) {
      if (this.#inString) {
        at = this.#scanString(bytes, at)
        continue
      }
      const code = bytes[at++] ?? 0
      if (code === QUOTE) {
        this.#inString = true
        this.#endWord()
      } else if (code > 0x7b || code < 0x5b) {
        if (code === COMMA) {
          if (this.#comma()) return at
        } else if (code === CLOSE_OBJECT) {
          if (this.#close(true)) return at
        } else if (code > 0x20) {
          // A colon ends a word; it comes after a quote in any JSON.
          this.wordLength++
        } else this.#endWord()
      } else if (code === OPEN_LIST || code === OPEN_OBJECT) {
        if (this.#open(code === OPEN_OBJECT)) return at
      } else if (code === CLOSE_LIST) {
        if (this.#close(false)) return at
      } else this.wordLength++
    }
    if (this.wordLength > this.longestWord) this.longestWord = this.wordLength
    return at
  }

  #open(isObject: boolean): boolean {
    this.#endWord()
    this.values++
    this.elementValues++
    this.depth++
    if (this.depth > this.deepest) this.deepest = this.depth
    if (this.depth > this.eventDepth) return false
    this.isObject = isObject
    this.event = 'open'
    return true
  }

  #close(isObject: boolean): boolean {
    this.#endWord()
    this.depth--
    if (this.depth >= this.eventDepth) return false
    this.isObject = isObject
    this.event = 'close'
    return true
  }

  #comma(): boolean {
    this.#endWord()
    this.values++
    this.elementValues++
    if (this.depth > this.eventDepth) return false
    this.event = 'comma'
    return true
  }

  #endWord(): void {
    if (this.wordLength > this.longestWord) this.longestWord = this.wordLength
    this.wordLength = 0
  }

  #scanString(bytes: Uint8Array, from: number): number {
    let at = from
    while (at < bytes.length && this.#escape > 0) this.#scanEscape(bytes[at++] ?? 0)
    const start = at
    while (at < bytes.length) {
      const code = bytes[at] ?? 0
      if (code === QUOTE || code === BACKSLASH) break
      at++
    }
    this.elementText += at - start
    if (at === bytes.length) return at
    if (bytes[at] === QUOTE) this.#inString = false
    else this.#escape = 1
    return at + 1
  }

  #scanEscape(code: number): void {
    if (this.#escape === 1) {
      if (code === LETTER_U) {
        this.#escape = 5
        this.#escaped = 0
      } else {
        this.#escape = 0
        this.elementText++
      }
      return
    }
    this.#escaped = this.#escaped * 16 + (code <= 0x39 ? code - 0x30 : (code & 0x5f) - 0x37)
    this.#escape--
    if (this.#escape > 1) return
    this.#escape = 0
    this.elementText += utf8Length(this.#escaped)
  }
}

/** Of a UTF-16 unit; half of a surrogate pair counts half of its four bytes. */
function utf8Length(unit: number): number {
  if (unit < 0x80) return 1
  if (unit < 0x800) return 2
  return unit >= 0xd800 && unit < 0xe000 ? 2 : 3
}

import { MorangoError } from '../core/errors.ts'

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const

/** The bytes of a part of a JSON text, gathered until it is complete. */
export class JsonText {
  #pieces: Uint8Array[] = []
  #begins = true
  length = 0

  /** @param piece - must not change afterwards: it is not copied */
  add(piece: Uint8Array): void {
    if (piece.length === 0) return
    this.#pieces.push(piece)
    this.length += piece.length
  }

  clear(): void {
    this.#pieces = []
    this.length = 0
    this.#begins = false
  }

  isBlank(): boolean {
    // A mark of the byte order is no error where a text begins.
    let toSkip = this.#begins ? markLength(this.#pieces[0]) : 0
    for (const piece of this.#pieces) {
      for (let at = toSkip; at < piece.length; at++) if (!isWhitespace(piece[at] ?? 0)) return false
      toSkip = 0
    }
    return true
  }

  /**
   * The value of the part, between two texts that make it whole.
   *
   * @throws MorangoError `malformed-message`; the text is not quoted, for it may be a record's content
   */
  parse(before: string, after: string): unknown {
    const text = [before, ...this.#decode(), after].join('')
    try {
      return JSON.parse(text)
    } catch {
      throw malformed('the text is not valid JSON')
    }
  }

  #decode(): string[] {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: !this.#begins })
    try {
      return [...this.#pieces.map((piece) => decoder.decode(piece, { stream: true })), decoder.decode()]
    } catch {
      throw malformed('the body is not valid UTF-8')
    }
  }
}

function markLength(first: Uint8Array | undefined): number {
  return BYTE_ORDER_MARK.every((byte, index) => first?.[index] === byte) ? BYTE_ORDER_MARK.length : 0
}

function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

function malformed(reason: string): MorangoError {
  const detail = `JSON parse error - ${reason}`
  return new MorangoError('malformed-message', detail, { details: { body: { detail } } })
}

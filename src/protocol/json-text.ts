import { MorangoError } from '../core/errors.ts'

const COMMA = 0x2c
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const
const WHITESPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])
const LEAST_ROOM = 64 * 1024

/** The bytes of a part of a JSON text, gathered until it is complete. */
export class JsonText {
  #bytes = new Uint8Array(LEAST_ROOM)
  #begins = true
  length = 0
  /** Commas put in between. */
  commas = 0

  add(piece: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from)
    this.#bytes.set(piece.subarray(from, to), this.length)
    this.length += to - from
  }

  addComma(): void {
    this.#reserve(1)
    this.#bytes[this.length++] = COMMA
    this.commas++
  }

  clear(): void {
    this.length = 0
    this.commas = 0
    this.#begins = false
    // What one large record needed is not kept for the small ones after it.
    if (this.#bytes.length > 16 * LEAST_ROOM) this.#bytes = new Uint8Array(LEAST_ROOM)
  }

  isBlank(): boolean {
    let at = this.#begins && BYTE_ORDER_MARK.every((byte, index) => this.#bytes[index] === byte) ? 3 : 0
    while (at < this.length && WHITESPACE.has(this.#bytes[at] ?? 0)) at++
    return at >= this.length
  }

  /**
   * The value of the part, between two texts that make it whole.
   *
   * @throws MorangoError `malformed-message`; the text is not quoted, for it may be a record's content
   */
  parse(before: string, after: string): unknown {
    const text = this.#decode()
    try {
      return JSON.parse(before + text + after)
    } catch {
      throw malformed('the text is not valid JSON')
    }
  }

  #decode(): string {
    try {
      // A mark of the byte order is no error where a text begins.
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: !this.#begins })
      return decoder.decode(this.#bytes.subarray(0, this.length))
    } catch {
      throw malformed('the body is not valid UTF-8')
    }
  }

  #reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    larger.set(this.#bytes.subarray(0, this.length))
    this.#bytes = larger
  }
}

function malformed(reason: string): MorangoError {
  const detail = `JSON parse error - ${reason}`
  return new MorangoError('malformed-message', detail, { details: { body: { detail } } })
}

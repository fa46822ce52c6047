import { MorangoError } from '../core/errors.ts'
import { jsonFault } from '../core/json-bounds.ts'
import { JsonByteScanner } from '../core/json-bytes.ts'
import { MAX_CHUNK_RECORDS, MAX_MESSAGE_MEMBERS } from '../core/limits.ts'
import { JsonText } from './json-text.ts'
import { createPace } from './pace.ts'
import type { Pace } from './pace.ts'

/** How large a message may be, in the unpacked bytes of its JSON and in what they make a parser build. */
export interface JsonLimits {
  readonly bytes: number
  readonly values: number
  readonly depth: number
  /** Of each member of the outermost object, and each element of the outermost list or of one right inside it. */
  readonly element?:
    | { readonly textBytes: number; readonly bytes: number; readonly values: number }
    | undefined
}

/** What happens while a message is read. */
export interface JsonReading {
  readonly limits: JsonLimits
  readonly pace?: Pace | undefined
  /**
   * Takes each element of the outermost list, or of a list right inside the outermost object, as soon as it is there,
   * and gives what to keep instead. `list`: the key of the list; undefined: the outermost.
   */
  readonly onElement?: ((value: unknown, index: number, list: string | undefined) => unknown) | undefined
  /** Sees the members of the outermost object that are no containers, as they come. */
  readonly onMember?: ((key: string, value: unknown) => void) | undefined
  /** Called after the first elements were taken, and before anything else is read. */
  readonly onFirst?: (() => Promise<void>) | undefined
}

// Small, for a parser makes a multiple of it at once.
const SLICE_BYTES = 256 * 1024
const SLICE_VALUES = 20_000

/**
 * Reads JSON as it comes, in slices: elements and members of the two outermost levels are given to `JSON.parse` as
 * soon as they are complete and counted, and others have the event loop in between. What it gives is what
 * `JSON.parse` gives for the whole.
 *
 * @throws MorangoError `malformed-message`; `payload-too-large`; `aborted` by the pace; whatever the hooks throw
 */
export async function readJson(source: AsyncIterable<Uint8Array>, reading: JsonReading): Promise<unknown> {
  const reader = new JsonReader(reading)
  for await (const piece of source) await reader.take(piece)
  return reader.end()
}

interface ListInside {
  readonly key: string | undefined
  readonly isObject: boolean
  readonly elements: unknown[]
  readonly members: Map<string, unknown>
  /** Whether a comma came last: an element must follow. */
  open: boolean
}

class JsonReader {
  readonly #reading: JsonReading
  readonly #pace: Pace
  readonly #scanner = new JsonByteScanner()
  readonly #text = new JsonText()
  #bytes = 0
  #sliceValues = 0
  /** Elements gathered and not parsed yet. */
  #gathered = 0
  #first = true
  #hasTaken = false
  #members: Map<string, unknown> | undefined
  #list: ListInside | undefined
  /** The value whose text was scanned last is complete and kept. */
  #kept = false
  #value: unknown
  #state: 'before' | 'inside' | 'after' = 'before'

  constructor(reading: JsonReading) {
    this.#reading = reading
    this.#pace = reading.pace ?? createPace()
  }

  async take(piece: Uint8Array): Promise<void> {
    const { limits } = this.#reading
    this.#bytes += piece.length
    if (this.#bytes > limits.bytes) throw tooLarge(`The message is larger than ${limits.bytes} bytes.`)
    const scanner = this.#scanner
    let at = 0
    let kept = 0
    while (at < piece.length) {
      at = scanner.scan(piece, at)
      this.#requireLimits()
      const { event } = scanner
      if (event === undefined) break
      if (this.#state === 'after') throw malformed()
      // Most commas are part of the text: elements are parsed many at once.
      if (event === 'comma' && !this.#isSliceOver(at - kept)) continue
      this.#text.add(piece.subarray(kept, at - 1))
      kept = at
      if (event === 'open') this.#open()
      else if (event === 'comma') this.#comma()
      else this.#close()
      if (this.#first && this.#hasTaken) {
        this.#first = false
        await this.#reading.onFirst?.()
      }
      const rest = this.#pace()
      if (rest !== undefined) await rest
    }
    this.#text.add(piece.subarray(kept))
    const rest = this.#pace()
    if (rest !== undefined) await rest
  }

  /** At a comma: counts the element before it, and says whether what was gathered is parsed now. */
  #isSliceOver(unkept: number): boolean {
    const list = this.#list
    if (list === undefined) return true
    list.open = true
    this.#gathered++
    this.#sliceValues += this.#scanner.elementValues
    this.#scanner.restartElement()
    return this.#first || this.#text.length + unkept >= SLICE_BYTES || this.#sliceValues >= SLICE_VALUES
  }

  end(): unknown {
    if (this.#state === 'after') {
      if (!this.#text.isBlank()) throw malformed()
      return this.#value
    }
    if (this.#state === 'inside') throw malformed()
    return this.#text.parse('', '')
  }

  #requireLimits(): void {
    const { limits } = this.#reading
    const scanner = this.#scanner
    const fault = jsonFault(scanner, limits)
    if (fault !== undefined) throw malformed(`the message ${fault}`)
    const { element } = limits
    if (element === undefined) return
    if (scanner.elementText > element.textBytes || scanner.elementBytes > element.bytes) {
      if (this.#list === undefined)
        throw tooLarge(`A text of the message is larger than ${element.textBytes} bytes.`)
      const place = this.#list.elements.length + this.#gathered
      throw tooLarge(`Record ${place} of the message is larger than ${element.textBytes} bytes.`, {
        index: place,
      })
    }
    if (scanner.elementValues > element.values) {
      throw malformed(`an element of the message has more than ${element.values} values`)
    }
  }

  #open(): void {
    const { depth, isObject } = this.#scanner
    if (depth === 1) {
      if (this.#state !== 'before' || !this.#text.isBlank()) throw malformed()
      this.#state = 'inside'
      if (isObject) {
        this.#members = new Map()
        this.#scanner.eventDepth = 2
      } else this.#begin(undefined, false)
    } else {
      if (this.#kept) throw malformed()
      const [member, ...others] = membersOf(this.#text.parse('{', 'null}'))
      if (member === undefined || others.length > 0 || member[1] !== null) throw malformed()
      this.#begin(member[0], isObject)
    }
    this.#restart()
  }

  #begin(key: string | undefined, isObject: boolean): void {
    this.#list = { key, isObject, elements: [], members: new Map(), open: false }
  }

  #comma(): void {
    const list = this.#list
    if (list === undefined) {
      if (this.#state === 'before') throw malformed()
      this.#keepMember()
      this.#kept = false
      this.#restart()
      return
    }
    this.#flush(list)
  }

  #close(): void {
    const list = this.#list
    if (this.#scanner.isObject !== (list?.isObject ?? this.#members !== undefined)) throw malformed()
    if (list !== undefined) {
      if (list.open || !this.#text.isBlank()) this.#flush(list)
      this.#list = undefined
      const value = list.isObject ? Object.fromEntries(list.members) : list.elements
      if (list.key === undefined) this.#finish(value)
      else {
        this.#members?.set(list.key, value)
        this.#kept = true
        this.#restart()
      }
      return
    }
    if (this.#members === undefined) throw malformed()
    if (this.#members.size > 0 || this.#kept || !this.#text.isBlank()) this.#keepMember()
    this.#finish(Object.fromEntries(this.#members))
  }

  #finish(value: unknown): void {
    this.#value = value
    this.#state = 'after'
    this.#restart()
  }

  #restart(): void {
    this.#text.clear()
    this.#gathered = 0
    this.#sliceValues = 0
    this.#scanner.restartElement()
  }

  #flush(list: ListInside): void {
    this.#hasTaken = true
    const { onElement } = this.#reading
    if (list.isObject) {
      const members = membersOf(this.#text.parse('{', '}'))
      if (members.length === 0) throw malformed()
      for (const [key, value] of members) list.members.set(key, value)
      if (list.members.size > MAX_CHUNK_RECORDS)
        throw malformed('an object of the message has too many members')
    } else {
      const elements = this.#text.parse('[', ']')
      if (!Array.isArray(elements) || elements.length === 0) throw malformed()
      for (const element of elements) {
        const index = list.elements.length
        list.elements.push(onElement === undefined ? element : onElement(element, index, list.key))
      }
    }
    this.#restart()
  }

  /** A member of the outermost object that is no container. */
  #keepMember(): void {
    if (this.#kept) {
      if (!this.#text.isBlank()) throw malformed()
      return
    }
    const [member, ...others] = membersOf(this.#text.parse('{', '}'))
    if (member === undefined || others.length > 0) throw malformed()
    if ((this.#members?.size ?? 0) >= MAX_MESSAGE_MEMBERS) {
      throw malformed(`the message has more than ${MAX_MESSAGE_MEMBERS} members`)
    }
    this.#members?.set(...member)
    this.#reading.onMember?.(...member)
  }
}

function membersOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

function malformed(reason?: string): MorangoError {
  const detail = `JSON parse error - ${reason ?? 'the text is not valid JSON'}`
  return new MorangoError('malformed-message', detail, { details: { body: { detail } } })
}

function tooLarge(message: string, details: Readonly<Record<string, unknown>> = {}): MorangoError {
  return new MorangoError('payload-too-large', message, { details })
}

import { MorangoError } from './errors.ts'
import { emptyCounters, emptyPartitions } from './fsic.ts'
import type { FsicV2, InstanceCounters, PartitionCounters } from './fsic.ts'
import { isHexUuid } from './ids.ts'
import { MAX_CLAIMS, MAX_COUNTER, MAX_FSIC_TEXT, MAX_PARTITION } from './limits.ts'
import { pythonStringify } from './python-json.ts'

/** The limits of an FSIC. */
export interface FsicLimits {
  readonly claims: number
  /** Of its text. */
  readonly characters: number
}

/** For this side's own claims: no peer made them. */
export const UNLIMITED: FsicLimits = { claims: Infinity, characters: Infinity }

const PEERS: FsicLimits = { claims: MAX_CLAIMS, characters: MAX_FSIC_TEXT }

const V2_FIELDS: ReadonlySet<string> = new Set(['super', 'sub'])

/**
 * Reads an FSIC of format v1: the JSON text of the wire, or the object in it. Nothing (`''`, `{}`,
 * undefined, null) means "I have nothing" (protocol §5, §6).
 *
 * @param limits - what a peer may say; other for what comes from here
 * @throws MorangoError `fsic-malformed`, `fsic-too-large`
 */
export function parseFsicV1(input: unknown, limits: FsicLimits = PEERS): InstanceCounters {
  return readCounters(readInput(input, limits), { claims: 0, most: limits.claims })
}

/**
 * Reads an FSIC of format v2: the JSON text of the wire, or the object in it. Nothing (`''`, `{}`,
 * undefined, null) means "I have nothing" (protocol §5, §6).
 *
 * @param limits - what a peer may say; other for what comes from here
 * @throws MorangoError `fsic-malformed`, `fsic-too-large`
 */
export function parseFsicV2(input: unknown, limits: FsicLimits = PEERS): FsicV2 {
  const fields = readMembers(readInput(input, limits))
  for (const key of Object.keys(fields)) {
    if (!V2_FIELDS.has(key)) throw malformed('a key besides "super" and "sub"')
  }
  const count = { claims: 0, most: limits.claims }
  return {
    super: readPartitions(fields.super, count),
    sub: readPartitions(fields.sub, count),
  }
}

/** The JSON text of an FSIC of either format, in the form of protocol §7. */
export function fsicToText(fsic: FsicV2 | Readonly<InstanceCounters>): string {
  return isFsicV2(fsic) ? pythonStringify({ super: fsic.super, sub: fsic.sub }) : pythonStringify(fsic)
}

/** Whether an FSIC is of format v2. No instance is called `sub`. */
export function isFsicV2(fsic: FsicV2 | Readonly<InstanceCounters>): fsic is FsicV2 {
  return typeof fsic.sub === 'object'
}

/** How many counters an FSIC has so far. A partition without any counts as one. */
interface Count {
  claims: number
  readonly most: number
}

function readInput(input: unknown, limits: FsicLimits): unknown {
  if (input === undefined || input === null || input === '') return emptyCounters()
  if (typeof input !== 'string') return input
  if (input.length > limits.characters) throw tooLarge()
  requireShape(input, limits)
  try {
    return JSON.parse(input)
  } catch (cause) {
    throw malformed('text that is not JSON', cause)
  }
}

/** A claim has at most a partition and an instance, each with its bracket or comma. */
const MARKS_PER_CLAIM = 2
const MARKS_BESIDE = 8

/**
 * Before anything is made of the text: outside its strings it has objects and whole numbers alone, and no more of
 * them than the claims that are allowed. Python takes 1.0 and 1e3 for another type than 1, and no peer writes a counter
 * so.
 */
function requireShape(text: string, { claims }: FsicLimits): void {
  const most = claims * MARKS_PER_CLAIM + MARKS_BESIDE
  let marks = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === COMMA || code === OPEN) {
      marks++
      if (marks > most) throw tooLarge()
    } else if (!isPlain(code)) throw malformed('something besides objects and whole numbers')
  }
}

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE] = [0x22, 0x5c, 0x2c, 0x3a, 0x7b, 0x7d] as const

/** The place of the quote that ends a string, or the end of the text. */
function endOfString(text: string, from: number): number {
  let at = from + 1
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code === BACKSLASH) at++
  }
  return at
}

function isPlain(code: number): boolean {
  const isDigit = code >= 0x30 && code <= 0x39
  const isSpace = code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
  return isDigit || isSpace || code === COLON || code === CLOSE
}

function readPartitions(value: unknown, count: Count): PartitionCounters {
  const partitions = emptyPartitions()
  if (value === undefined) return partitions
  const members = readMembers(value)
  for (const partition of Object.keys(members)) {
    if (!isPartition(partition)) throw malformed('a partition that no record can have')
    const before = count.claims
    partitions[partition] = readCounters(members[partition], count)
    if (count.claims === before) note(count)
  }
  return partitions
}

function readCounters(value: unknown, count: Count): InstanceCounters {
  const counters = emptyCounters()
  const members = readMembers(value)
  for (const instance of Object.keys(members)) {
    const counter = members[instance]
    if (!isHexUuid(instance)) throw malformed('an instance id that is not 32 hex digits')
    if (!isCounter(counter)) throw malformed(`a counter that is not a whole number from 0 to ${MAX_COUNTER}`)
    note(count)
    counters[instance] = counter
  }
  return counters
}

function isCounter(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_COUNTER
}

// A character beyond the BMP has two code units and counts once.
function isPartition(text: string): boolean {
  if (text.length > 2 * MAX_PARTITION || text.includes('\0') || !text.isWellFormed()) return false
  return text.length <= MAX_PARTITION || Array.from(text).length <= MAX_PARTITION
}

function note(count: Count): void {
  count.claims += 1
  if (count.claims > count.most) throw tooLarge()
}

function readMembers(value: unknown): Readonly<Record<string, unknown>> {
  if (isMembers(value)) return value
  throw malformed('something else where an object belongs')
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(what: string, cause?: unknown): MorangoError {
  return new MorangoError('fsic-malformed', `Malformed FSIC: it has ${what}`, { cause })
}

function tooLarge(): MorangoError {
  return new MorangoError('fsic-too-large', `The FSIC makes more than ${MAX_CLAIMS} claims`, {
    hint: 'Sync with a narrower filter.',
  })
}

import { MorangoError } from './errors.ts'
import { emptyCounters, emptyPartitions } from './fsic.ts'
import type { FsicV2, InstanceCounters, PartitionCounters } from './fsic.ts'
import { isHexUuid } from './ids.ts'
import { MAX_CLAIMS, MAX_COUNTER, MAX_FSIC_TEXT, MAX_PARTITION } from './limits.ts'
import { parseJsonWith, pythonStringify } from './python-json.ts'

const V2_FIELDS: ReadonlySet<string> = new Set(['super', 'sub'])

/**
 * Reads an FSIC of format v1: the JSON text of the wire, or the object in it. Nothing (`''`, `{}`,
 * undefined, null) means "I have nothing" (protocol §5, §6).
 *
 * @throws MorangoError `fsic-malformed`, `fsic-too-large`
 */
export function parseFsicV1(input: unknown): InstanceCounters {
  return readCounters(readInput(input), { claims: 0 })
}

/**
 * Reads an FSIC of format v2: the JSON text of the wire, or the object in it. Nothing (`''`, `{}`,
 * undefined, null) means "I have nothing" (protocol §5, §6).
 *
 * @throws MorangoError `fsic-malformed`, `fsic-too-large`
 */
export function parseFsicV2(input: unknown): FsicV2 {
  const fields = readMembers(readInput(input))
  for (const [key] of fields) if (!V2_FIELDS.has(key)) throw malformed('a key besides "super" and "sub"')
  const members = new Map(fields)
  const count = { claims: 0 }
  return {
    super: readPartitions(members.get('super'), count),
    sub: readPartitions(members.get('sub'), count),
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
}

function readInput(input: unknown): unknown {
  if (input === undefined || input === null || input === '') return emptyCounters()
  if (typeof input !== 'string') return input
  if (input.length > MAX_FSIC_TEXT) throw tooLarge()
  try {
    return parseJsonWith(input, readNumber)
  } catch (cause) {
    throw malformed('text that is not JSON', cause)
  }
}

// Python takes 1.0 and 1e3 for another type than 1, and no peer writes a counter so.
function readNumber(text: string): number {
  return /^(?:0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : Number.NaN
}

function readPartitions(value: unknown, count: Count): PartitionCounters {
  const partitions = emptyPartitions()
  if (value === undefined) return partitions
  for (const [partition, counters] of readMembers(value)) {
    if (!isPartition(partition)) throw malformed('a partition that no record can have')
    const before = count.claims
    partitions[partition] = readCounters(counters, count)
    if (count.claims === before) note(count)
  }
  return partitions
}

function readCounters(value: unknown, count: Count): InstanceCounters {
  const counters = emptyCounters()
  for (const [instance, counter] of readMembers(value)) {
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
  if (count.claims > MAX_CLAIMS) throw tooLarge()
}

function readMembers(value: unknown): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
  throw malformed('something else where an object belongs')
}

function malformed(what: string, cause?: unknown): MorangoError {
  return new MorangoError('fsic-malformed', `Malformed FSIC: it has ${what}`, { cause })
}

function tooLarge(): MorangoError {
  return new MorangoError('fsic-too-large', `The FSIC makes more than ${MAX_CLAIMS} claims`, {
    hint: 'Sync with a narrower filter.',
  })
}

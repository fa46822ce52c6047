import { MorangoError } from './errors.ts'
import { emptyCounters, emptyPartitions } from './fsic.ts'
import type { FsicV2, InstanceCounters, PartitionCounters } from './fsic.ts'
import { isHexUuid } from './ids.ts'
import { parseJsonExact, pythonStringify } from './python-json.ts'

const V2_FIELDS: ReadonlySet<string> = new Set(['super', 'sub'])

/**
 * Reads an FSIC of format v1: the JSON text of the wire, or the object in it. Nothing (`''`, `{}`,
 * undefined, null) means "I have nothing" (protocol §5, §6).
 *
 * @throws MorangoError `fsic-malformed`
 */
export function parseFsicV1(input: unknown): InstanceCounters {
  return readCounters(readInput(input))
}

/**
 * Reads an FSIC of format v2: the JSON text of the wire, or the object in it. Nothing (`''`, `{}`,
 * undefined, null) means "I have nothing" (protocol §5, §6).
 *
 * @throws MorangoError `fsic-malformed`
 */
export function parseFsicV2(input: unknown): FsicV2 {
  const fields = readMembers(readInput(input))
  for (const [key] of fields) if (!V2_FIELDS.has(key)) throw malformed('a key besides "super" and "sub"')
  const members = new Map(fields)
  return { super: readPartitions(members.get('super')), sub: readPartitions(members.get('sub')) }
}

/** The JSON text of an FSIC of either format, in the form of protocol §7. */
export function fsicToText(fsic: FsicV2 | Readonly<InstanceCounters>): string {
  return isFsicV2(fsic) ? pythonStringify({ super: fsic.super, sub: fsic.sub }) : pythonStringify(fsic)
}

/** Whether an FSIC is of format v2. No instance is called `sub`. */
export function isFsicV2(fsic: FsicV2 | Readonly<InstanceCounters>): fsic is FsicV2 {
  return typeof fsic.sub === 'object'
}

function readInput(input: unknown): unknown {
  if (input === undefined || input === null || input === '') return emptyCounters()
  if (typeof input !== 'string') return input
  try {
    return parseJsonExact(input)
  } catch (cause) {
    throw malformed('text that is not JSON', cause)
  }
}

function readPartitions(value: unknown): PartitionCounters {
  const partitions = emptyPartitions()
  if (value === undefined) return partitions
  for (const [partition, counters] of readMembers(value)) partitions[partition] = readCounters(counters)
  return partitions
}

function readCounters(value: unknown): InstanceCounters {
  const counters = emptyCounters()
  for (const [instance, counter] of readMembers(value)) {
    if (!isHexUuid(instance)) throw malformed('an instance id that is not 32 hex digits')
    if (typeof counter !== 'number' || !Number.isSafeInteger(counter) || counter < 0) {
      throw malformed('a counter that is not a whole number of at least 0')
    }
    counters[instance] = counter
  }
  return counters
}

function readMembers(value: unknown): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
  throw malformed('something else where an object belongs')
}

function malformed(what: string, cause?: unknown): MorangoError {
  return new MorangoError('fsic-malformed', `Malformed FSIC: it has ${what}`, { cause })
}

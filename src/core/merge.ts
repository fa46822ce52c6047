import { copyCounters, counterOf, mergeCounters, raiseCounter } from './fsic.ts'
import type { InstanceCounters } from './fsic.ts'

/** Which save a record is at, and its history: per instance that ever saved it the highest counter. */
export interface RecordVersion {
  readonly lastSavedInstance: string
  readonly lastSavedCounter: number
  /** The record max counters. The last saved pair belongs to them, whether it is listed here or not. */
  readonly counters: Readonly<InstanceCounters>
}

/** A record of the store, or one that arrived (protocol §4, §8). */
export interface StoreRecord extends RecordVersion {
  readonly id: string
  readonly profile: string
  readonly modelName: string
  readonly partition: string
  readonly sourceId: string
  readonly serialized: string
  /** The losers of conflicts: their JSON texts, each followed by a newline, the newest first. */
  readonly conflictingSerializedData: string
  readonly selfRefFk: string
  readonly deleted: boolean
  readonly hardDeleted: boolean
  /** Whether it waits to be deserialized. */
  readonly dirty: boolean
  readonly deserializationError: string
  /** Of an arriving record: the transfer session that brings it. */
  readonly lastTransferSessionId: string | null
}

/** What an arriving record is to the store (protocol §8). */
export type MergeDecision = 'new' | 'known' | 'fast-forward' | 'conflict'

/** The new version that a conflict's result gets: this instance, and the counter of this dequeue. */
export interface MergeStamp {
  readonly instance: string
  readonly counter: number
}

/**
 * How far the history of an arriving record is believed (protocol §11). Nobody can know a version of ours that has
 * not left this database, and no honest instance is a million counters ahead of all that is known of it.
 */
export interface HistoryTrust {
  /** This database's current instance, and the highest counter of it that left. Undefined: all is believed. */
  readonly own?: { readonly instance: string; readonly left: number } | undefined
  /** The highest counter to believe of other instances; one that is not named is believed. */
  readonly most: Readonly<InstanceCounters>
  /**
   * Who sends the record, and the highest counter that it claims of itself. Nobody knows that better: a history here
   * that has it further was a lie of a third, and would make its next edits count as known.
   */
  readonly sender?: { readonly instance: string; readonly counter: number } | undefined
}

/** Believes every history. */
export const TRUST_ALL: HistoryTrust = { most: {} }

/**
 * Whose content a conflict's result has: ours as in the original, theirs, or what an application's hook made
 * of both. The text that is not kept goes to the conflicting data.
 */
export type MergeChoice = 'ours' | 'theirs' | MergedContent

/** What an application's hook or policies made of both sides. */
export interface MergedContent {
  readonly serialized: string
  readonly selfRefFk: string
  /** Whether the policies cover all of it, so that nobody need look at the conflict. */
  readonly settled?: boolean
  /** Whether what both sides had is in it, so that neither is kept as conflicting data. */
  readonly combined?: boolean
}

const NO_CONTENT = '{}'

/**
 * What an arriving record is to the one in the store, by their histories alone (protocol §8). A version, or an entry
 * of its history, beyond what is believed counts for nothing, so what meets a record of ours by it is a conflict.
 */
export function decideMerge(
  local: RecordVersion | undefined,
  incoming: RecordVersion,
  trust: HistoryTrust = TRUST_ALL,
): MergeDecision {
  if (local === undefined) return 'new'
  if (incoming.lastSavedCounter > mostBelieved(trust, incoming.lastSavedInstance)) return 'conflict'
  if (historyCovers(local, incoming, mostOfSender(trust, incoming))) return 'known'
  return historyCovers(incoming, local, mostBelieved(trust, local.lastSavedInstance))
    ? 'fast-forward'
    : 'conflict'
}

/** The highest counter of an instance that an arriving history is believed. */
export function mostBelieved({ own, most }: HistoryTrust, instance: string): number {
  if (own?.instance === instance) return own.left
  return counterOf(most, instance) ?? Infinity
}

/** How far a history here is believed that has the version which arrives. What the sender sends, it has. */
function mostOfSender({ sender }: HistoryTrust, incoming: RecordVersion): number {
  if (sender === undefined || sender.instance !== incoming.lastSavedInstance) return Infinity
  return Math.max(sender.counter, incoming.lastSavedCounter)
}

/**
 * The store record after a record arrived (protocol §8). A known one changes nothing; a new one or one that
 * has ours in its history is taken over whole; anything else is a conflict, and a new version of ours.
 *
 * Unlike the original, a conflict keeps their conflicting data too, and nothing of the content is left when
 * either side was hard-deleted.
 *
 * What the history says of our own instance beyond what left is dropped: kept, it would make peers take our next
 * edits for known. So is, in a conflict, all else that was not believed on either side. A new record that names us so as its author is stamped as a new version of ours.
 *
 * @param stamp - used by a conflict, and by a new record that is said to be a version of ours that never left
 */
export function mergeRecords(
  local: StoreRecord | undefined,
  incoming: StoreRecord,
  stamp: MergeStamp,
  keep: MergeChoice = 'ours',
  trust: HistoryTrust = TRUST_ALL,
): StoreRecord {
  const decision = decideMerge(local, incoming, trust)
  if (decision === 'known' && local !== undefined) return local
  const theirs = believable(incoming, stamp, trust)
  if (local === undefined || decision === 'fast-forward') return takeOver(local, theirs)
  return resolveConflict(local, theirs, believedHistories(local, theirs, trust), stamp, keep)
}

/** Both histories, without what was not believed of either. */
function believedHistories(local: StoreRecord, incoming: StoreRecord, trust: HistoryTrust): InstanceCounters {
  const { sender } = trust
  const ours = fullHistory(local)
  if (sender !== undefined && (counterOf(ours, sender.instance) ?? 0) > sender.counter) {
    delete ours[sender.instance]
  }
  const theirs = fullHistory(incoming)
  for (const [instance, counter] of Object.entries(theirs)) {
    if (counter > mostBelieved(trust, instance)) delete theirs[instance]
  }
  return mergeCounters(ours, theirs)
}

function believable(incoming: StoreRecord, stamp: MergeStamp, { own }: HistoryTrust): StoreRecord {
  if (own === undefined) return incoming
  const counters = copyCounters(incoming.counters)
  if ((counterOf(counters, own.instance) ?? 0) > own.left) delete counters[own.instance]
  const isForged = incoming.lastSavedInstance === own.instance && incoming.lastSavedCounter > own.left
  if (!isForged) return { ...incoming, counters }
  return { ...incoming, counters, lastSavedInstance: stamp.instance, lastSavedCounter: stamp.counter }
}

function takeOver(local: StoreRecord | undefined, incoming: StoreRecord): StoreRecord {
  const theirs = fullHistory(incoming)
  const counters = local === undefined ? theirs : mergeCounters(fullHistory(local), theirs)
  // Ours has it at a higher one only where that was not believed.
  counters[incoming.lastSavedInstance] = incoming.lastSavedCounter
  return {
    ...incoming,
    // A hard deletion that went through a conflict of the original arrives with an empty text.
    serialized: incoming.serialized === '' ? NO_CONTENT : incoming.serialized,
    counters,
    dirty: true,
    deserializationError: '',
  }
}

function resolveConflict(
  local: StoreRecord,
  incoming: StoreRecord,
  histories: Readonly<InstanceCounters>,
  stamp: MergeStamp,
  keep: MergeChoice,
): StoreRecord {
  const counters = copyCounters(histories)
  raiseCounter(counters, stamp.instance, stamp.counter)
  const hardDeleted = local.hardDeleted || incoming.hardDeleted
  const content = chosenContent(local, incoming, keep)
  return {
    ...local,
    ...(hardDeleted ? { ...content, serialized: NO_CONTENT, conflictingSerializedData: '' } : content),
    deleted: local.deleted || incoming.deleted || hardDeleted,
    hardDeleted,
    lastSavedInstance: stamp.instance,
    lastSavedCounter: stamp.counter,
    counters,
    dirty: true,
    deserializationError: '',
    lastTransferSessionId: incoming.lastTransferSessionId,
  }
}

type Content = Pick<StoreRecord, 'serialized' | 'selfRefFk' | 'conflictingSerializedData'>

function chosenContent(local: StoreRecord, incoming: StoreRecord, keep: MergeChoice): Content {
  const losers =
    keep === 'ours'
      ? [incoming.serialized]
      : keep === 'theirs'
        ? [local.serialized]
        : keep.combined === true
          ? []
          : [incoming.serialized, local.serialized]
  const { serialized, selfRefFk } = keep === 'ours' ? local : keep === 'theirs' ? incoming : keep
  const earlier = joinConflictingData(local.conflictingSerializedData, incoming.conflictingSerializedData)
  const conflictingSerializedData = losers.map((loser) => `${loser}\n`).join('') + earlier
  return { serialized, selfRefFk, conflictingSerializedData }
}

/**
 * Ours, then theirs; but only the longer one when it contains the other. Two peers that keep editing the
 * same record share what they lost before, and would double it at every conflict.
 */
function joinConflictingData(ours: string, theirs: string): string {
  if (ours.includes(theirs)) return ours
  return theirs.includes(ours) ? theirs : ours + theirs
}

/** The record max counters, the last saved pair among them. */
export function fullHistory(record: RecordVersion): InstanceCounters {
  const history = copyCounters(record.counters)
  raiseCounter(history, record.lastSavedInstance, record.lastSavedCounter)
  return history
}

function historyCovers(history: RecordVersion, version: RecordVersion, most = Infinity): boolean {
  const { lastSavedInstance: instance, lastSavedCounter: counter } = version
  const { lastSavedCounter: last } = history
  if (history.lastSavedInstance === instance && last >= counter && last <= most) return true
  const known = counterOf(history.counters, instance)
  return known !== undefined && known >= counter && known <= most
}

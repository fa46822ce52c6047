import { filterContains } from '../core/filter.ts'
import type { Filter } from '../core/filter.ts'
import { grantedPrefixes } from '../core/scope.ts'
import type { InstanceName } from '../storage/known-instances.ts'
import type { RecordFacts } from '../storage/record-facts.ts'
import type {
  CertificateEvidence,
  Link,
  LinkEvidence,
  LinkName,
  LinkState,
  TransferEvidence,
} from './explanation.ts'
import type { Claim } from './peer-claims.ts'
import type { Direction } from './plan.ts'

/** Everything that the links of one record are judged by. */
export interface ChainFacts {
  readonly table: string
  readonly record: RecordFacts
  /** The instance that saved the Store's version. */
  readonly savedBy: InstanceName | undefined
  /** The transfer that brought the Store's version, if it is known. */
  readonly broughtBy: TransferEvidence | undefined
  readonly filter: Filter | undefined
  readonly peer: PeerFacts | undefined
  /** Whose certificates permit it, or why there are none. */
  readonly certificates: readonly CertificateEvidence[]
  readonly refusal: string | undefined
  /** In which direction the record would go with us as client. */
  readonly direction: Direction
  /** Unfinished transfers that have the record in a Buffer. */
  readonly underway: readonly TransferEvidence[]
  /** The last transfer in which we send to the peer, if it failed or was not finished. */
  readonly stuck: TransferEvidence | undefined
}

/** What is known of the peer. */
export interface PeerFacts {
  readonly label: string
  readonly asked: boolean
  readonly lastTransferAt: string | undefined
  readonly claimed: Claim | undefined
  /** What a pull would bring of a record that is not here; undefined when the peer was not asked. */
  readonly hasMore: 'this' | 'others' | 'something' | 'nothing' | undefined
}

type Judged<Name extends LinkName> = readonly [
  state: LinkState,
  sentence: string,
  evidence: LinkEvidence[Name],
  hint?: string,
]

/** Who goes on with a transfer that has stopped. */
function goOn({ role, peer }: TransferEvidence): string {
  if (role === 'client') return `Sync with ${peer} again: it goes on where it stopped.`
  return 'The peer goes on with it when it syncs again.'
}

function certifiedBy({ certificate }: TransferEvidence): string {
  return certificate === '' ? '' : `, from the peer with certificate ${certificate}`
}

/** Judges each link of the chain. Pure. */
export function judgeLinks(facts: ChainFacts): Link[] {
  const before = [
    link('row', judgeRow(facts)),
    link('deletion', judgeDeletion(facts)),
    link('tracking', judgeTracking(facts)),
    link('change', judgeChange(facts)),
    link('serialization', judgeSerialization(facts)),
    link('filter', judgeFilter(facts)),
    link('certificates', judgeCertificates(facts)),
  ]
  const cannotGo = before.some(({ state }) => state === 'failed')
  return [
    ...before,
    link('claim', judgeClaim(facts, cannotGo)),
    link('transfer', judgeTransfer(facts)),
    link('application', judgeApplication(facts)),
    link('conflict', judgeConflict(facts)),
  ]
}

/** The partition of a record as far as anything tells it. */
export function partitionOf({ store, rowPartition, received }: RecordFacts): string | undefined {
  if (store !== undefined) return store.partition
  return 'partition' in rowPartition ? rowPartition.partition : received[0]?.partition
}

/** Whether there is nothing of a record here. */
export function isAbsent({ rowExists, store, changed, received }: RecordFacts): boolean {
  return !rowExists && store === undefined && !changed && received.length === 0
}

// Each member of the union is made of the link's own evidence.
function link<Name extends LinkName>(
  name: Name,
  [state, sentence, evidence, hint]: Judged<Name>,
): Extract<Link, { link: Name }>
function link(name: LinkName, [state, sentence, evidence, hint]: Judged<LinkName>): object {
  return { link: name, state, sentence, hint, evidence }
}

function judgeRow({ table, record, peer }: ChainFacts): Judged<'row'> {
  const evidence = { table, exists: record.rowExists }
  if (record.rowExists) return ['ok', `The table ${table} has the row.`, evidence]
  if (!isAbsent(record)) return ['not-applicable', `The table ${table} has no row of this id.`, evidence]
  return [
    'failed',
    `Nothing is known here of a record of this id: the table ${table} has no row, and the store no record.`,
    evidence,
    absentHint(peer),
  ]
}

function absentHint(peer: PeerFacts | undefined): string {
  const elsewhere = 'Check the id, and explain it on the device where the row was made.'
  if (peer?.hasMore === undefined) return elsewhere
  const { label } = peer
  switch (peer.hasMore) {
    case 'this':
      return `${label} has it: pull from it.`
    case 'something':
      return `${label} has changes that are not here. Pull from it, and explain it again.`
    case 'others':
      return `It is not among the changes that ${label} has for us. ${elsewhere}`
    case 'nothing':
      return `${label} has nothing for us that is not here. ${elsewhere}`
  }
}

function judgeDeletion({ record, savedBy, broughtBy }: ChainFacts): Judged<'deletion'> {
  const { store, rowExists, changed } = record
  const deleted = store?.deleted === true
  const evidence = {
    deleted,
    hard: store?.hardDeleted === true,
    by: deleted ? savedBy : undefined,
    counter: deleted ? store.counter : undefined,
    arrivedAt: deleted ? broughtBy?.lastActivityAt : undefined,
  }
  if (store === undefined)
    return ['not-applicable', 'The store has no record that could be deleted.', evidence]
  if (!deleted) {
    const sentence =
      rowExists || !changed ? 'It is not deleted.' : 'The row was deleted; the next sync takes it up.'
    return ['ok', sentence, evidence]
  }
  const how = store.hardDeleted ? 'deleted with all its content' : 'deleted'
  const who = savedBy === undefined ? 'an instance that is not known' : labelOf(savedBy)
  const sentence = `It was ${how} by ${who}, in its version ${store.counter}.`
  if (rowExists && changed) return ['ok', `${sentence} The row was made again since.`, evidence]
  if (savedBy?.own === true) return ['ok', sentence, evidence]
  const arrived = broughtBy === undefined ? '' : ` The deletion came with a ${wayOf(broughtBy)}.`
  const hint = store.hardDeleted
    ? 'Nothing of it is left. Make a new row if it is still needed.'
    : 'Create a row with the same id to bring it back; its last content is in the store.'
  return ['failed', sentence + arrived, evidence, hint]
}

function judgeTracking({ table, record }: ChainFacts): Judged<'tracking'> {
  const { missingTriggers } = record
  if (missingTriggers.length === 0)
    return ['ok', `Changes to the table ${table} are seen.`, { missingTriggers }]
  return [
    'failed',
    `Changes to the table ${table} are not seen: ${missingTriggers.join(', ')} ${
      missingTriggers.length === 1 ? 'is' : 'are'
    } missing or out of date.`,
    { missingTriggers },
    'Run `morango migrate`, then `morango rescan`, to find what was changed meanwhile.',
  ]
}

function judgeChange({ record }: ChainFacts): Judged<'change'> {
  const { changed, store, rowExists, comparison, waiting } = record
  const rescan = 'Run `morango rescan`: it finds and logs what no trigger has seen.'
  const evidence = (differs: boolean): LinkEvidence['change'] => ({ logged: changed, differs })
  if (changed) return ['ok', 'A change of it is logged.', evidence(false)]
  if (waiting !== undefined)
    return ['not-applicable', 'The row is not what the record says yet.', evidence(true)]
  if (!rowExists) {
    if (store === undefined || store.deleted)
      return ['not-applicable', 'No change is to be logged.', evidence(false)]
    return ['failed', 'The row was deleted, and no trigger has seen it.', evidence(true), rescan]
  }
  if (comparison === 'same') return ['ok', 'The row is as it was last serialized.', evidence(false)]
  const what =
    store === undefined || store.deleted
      ? 'The row was written'
      : 'The row was changed since it was serialized'
  return ['failed', `${what}, and no trigger has seen it.`, evidence(true), rescan]
}

function judgeSerialization({ record, savedBy }: ChainFacts): Judged<'serialization'> {
  const { store, changed, notSerialized: problem, rowExists } = record
  const evidence = { by: savedBy, counter: store?.counter, problem }
  if (problem !== undefined) {
    return [
      'failed',
      `The row could not be serialized: ${problem.message}`,
      evidence,
      'Mend the row; it is tried again at every sync. See also `morango problems`.',
    ]
  }
  if (changed) {
    const what = rowExists ? 'change' : 'deletion'
    return [
      'failed',
      `The ${what} was made after the last sync: the next one takes it up.`,
      evidence,
      'Sync, or call serialize(), to take it up.',
    ]
  }
  if (store === undefined) return ['not-applicable', 'The store has no record of it.', evidence]
  const who = savedBy === undefined ? store.instance : labelOf(savedBy)
  return ['ok', `The store has version ${store.counter} of ${who}.`, evidence]
}

function judgeFilter({ record, filter, peer }: ChainFacts): Judged<'filter'> {
  const partition = partitionOf(record)
  const evidence = { partition, filter }
  if (filter === undefined) return ['unknown', 'No sync has been made, and no filter was given.', evidence]
  const shown = listOf(filter)
  if (partition === undefined) {
    return ['unknown', `Its partition is not known; the filter is ${shown}.`, evidence]
  }
  if (filterContains(filter, partition)) {
    return ['ok', `Its partition ${partition} is in the filter ${shown}.`, evidence]
  }
  if (isKnownThere(record, peer)) {
    return ['not-applicable', `Its partition ${partition} is not in the filter ${shown}.`, evidence]
  }
  return [
    'failed',
    `Its partition ${partition} is not in the filter ${shown}.`,
    evidence,
    `Sync with a filter that contains it, such as ${partition}.`,
  ]
}

function judgeCertificates({
  record,
  peer,
  certificates,
  refusal,
  direction,
}: ChainFacts): Judged<'certificates'> {
  const evidence = { direction, certificates }
  if (isKnownThere(record, peer)) return ['not-applicable', 'Nothing has to travel.', evidence]
  const denying = certificates.find(({ permits }) => !permits)
  const verb = direction === 'push' ? ['write', 'read'] : ['read', 'write']
  if (denying !== undefined) {
    const [whose, may] = denying.side === 'ours' ? ["This device's", verb[0]] : ["The peer's", verb[1]]
    return [
      'failed',
      `${whose} certificate ${denying.id} (scope ${denying.scope}) may ${may} ${allowed(denying)}, which does not permit it.`,
      evidence,
      'Request a certificate with a wider scope, or use a narrower filter.',
    ]
  }
  if (refusal !== undefined) {
    return [
      'failed',
      refusal,
      evidence,
      'Request a certificate from the peer, or use a filter that both certificates cover.',
    ]
  }
  if (certificates.length === 0) return ['unknown', 'No certificates have been used yet.', evidence]
  const named = certificates.map(({ side, scope }) => `${side} (scope ${scope})`).join(' and ')
  if (certificates.length === 1) return ['unknown', `The certificate here permits it: ${named}.`, evidence]
  return ['ok', `Both certificates permit it: ${named}.`, evidence]
}

function judgeClaim(
  { record, savedBy, peer, underway, stuck }: ChainFacts,
  cannotGo: boolean,
): Judged<'claim'> {
  const { store } = record
  const needed =
    store === undefined || savedBy === undefined ? undefined : { instance: savedBy, counter: store.counter }
  const evidence = {
    asked: peer?.asked === true,
    claimed: peer?.claimed,
    needed,
    lastTransferAt: peer?.lastTransferAt,
  }
  if (peer === undefined) return ['unknown', 'This database has not synced with anyone yet.', evidence]
  if (needed === undefined)
    return ['not-applicable', 'There is no version that the peer could have.', evidence]
  if (record.changed) {
    return ['not-applicable', `What ${peer.label} has of it is from before the change.`, evidence]
  }
  const { counter } = needed
  const { label, asked, claimed } = peer
  const whose = labelOf(needed.instance)
  const says = asked ? 'says that it has' : 'had, at the last transfer,'
  if (claimed !== undefined && claimed.counter >= counter) {
    const under = claimed.partition === '' ? 'everything' : `everything under ${claimed.partition}`
    return ['ok', `${label} ${says} ${under} of ${whose} up to version ${claimed.counter}.`, evidence]
  }
  const upTo =
    claimed === undefined
      ? `nothing that ${whose} saved`
      : `what ${whose} saved up to version ${claimed.counter}`
  const lacks = `${label} does not have version ${counter}: it ${asked ? 'has' : 'had'} ${upTo}.`
  if (cannotGo || underway.length > 0 || stuck !== undefined) return ['not-applicable', lacks, evidence]
  return ['failed', lacks, evidence, 'Sync with it: the record will be sent.']
}

function judgeTransfer({ record, peer, underway, stuck, broughtBy }: ChainFacts): Judged<'transfer'> {
  const evidence = {
    transfers: underway.length > 0 ? underway : [stuck ?? broughtBy].flatMap((one) => one ?? []),
  }
  const [first] = underway
  if (first !== undefined) {
    const place =
      first.position === undefined
        ? 'It has been received'
        : `It is number ${first.position} of ${first.recordsTotal ?? '?'} to be sent`
    return [
      'failed',
      `${place} in a ${wayOf(first)} that is not finished: ${standOf(first)}.`,
      evidence,
      goOn(first),
    ]
  }
  if (peer !== undefined && stuck !== undefined && !isKnownThere(record, peer)) {
    const hint = stuck.error === null ? goOn(stuck) : 'Mend the cause, then sync again.'
    return ['failed', `The last ${wayOf(stuck)} did not come to its end: ${standOf(stuck)}.`, evidence, hint]
  }
  if (broughtBy !== undefined) {
    return [
      'ok',
      `This version came with a ${wayOf(broughtBy)} at ${broughtBy.lastActivityAt}${certifiedBy(broughtBy)}.`,
      evidence,
    ]
  }
  if (isKnownThere(record, peer)) return ['ok', 'Nothing of it is on its way.', evidence]
  return ['not-applicable', 'It is in no transfer.', evidence]
}

function judgeApplication({ table, record }: ChainFacts): Judged<'application'> {
  const { waiting, store } = record
  const evidence = { waits: waiting !== undefined, problem: waiting?.problem }
  if (store === undefined) return ['not-applicable', 'There is no record to apply.', evidence]
  if (waiting === undefined) return ['ok', `The record is applied to the table ${table}.`, evidence]
  if (waiting.problem !== undefined) {
    return [
      'failed',
      `The record has come, and could not be applied: ${waiting.problem.message}`,
      evidence,
      'Mend the reason; it is tried again by itself. See also `morango problems`.',
    ]
  }
  return [
    'failed',
    'The record has come, and is not applied yet.',
    evidence,
    'Sync again, or call deserialize().',
  ]
}

function judgeConflict({ record }: ChainFacts): Judged<'conflict'> {
  const { lostVersions = 0, conflicts } = record.store ?? {}
  const { open = [], closed = 0 } = conflicts ?? {}
  const evidence = { lostVersions, open }
  const [latest] = open
  if (latest !== undefined) {
    const what = open.length === 1 ? 'It was edited' : `${open.length} times it was edited`
    return [
      'failed',
      `${what} on two sides without a sync in between, so the row may not have what was written on one of them.`,
      evidence,
      `See \`morango conflicts show ${latest}\`, then restore or dismiss it.`,
    ]
  }
  if (closed > 0) return ['ok', 'Its conflicts were dealt with.', evidence]
  if (lostVersions === 0) return ['ok', 'No version of it has lost a conflict.', evidence]
  const what = lostVersions === 1 ? 'One version of it has' : `${lostVersions} versions of it have`
  return [
    'failed',
    `${what} lost a conflict: edits that were made on two sides without a sync in between.`,
    evidence,
    'It was settled on another device, whose `morango conflicts` lists it, or here and forgotten since.',
  ]
}

/** Whether the peer says that it has the version that is here. */
function isKnownThere({ store, changed }: RecordFacts, peer: PeerFacts | undefined): boolean {
  if (changed || store === undefined || peer?.claimed === undefined) return false
  return peer.claimed.counter >= store.counter
}

function labelOf({ name, hostname, own }: InstanceName): string {
  if (own) return 'this device'
  return hostname === undefined ? name : `${name} (${hostname})`
}

function wayOf({ direction, role, peer }: TransferEvidence): string {
  return role === 'client' ? `${direction} with ${peer}` : `${direction} by ${peer === '' ? 'a peer' : peer}`
}

function standOf({ stage, status, error, recordsTransferred, recordsTotal }: TransferEvidence): string {
  const far = recordsTotal === null ? '' : `, ${recordsTransferred} of ${recordsTotal} records transferred`
  const why = error === null ? '' : ` (${error.replace(/\.$/u, '')})`
  return `it is at ${stage}, ${status}${why}${far}`
}

function listOf(filter: readonly string[]): string {
  return filter.map((prefix) => (prefix === '' ? '"" (everything)' : prefix)).join(' ')
}

// A scope that denies one way is filled with prefixes that no record has.
function allowed({ allows }: CertificateEvidence): string {
  const some = grantedPrefixes(allows)
  return some.length === 0 ? 'nothing' : listOf(some)
}

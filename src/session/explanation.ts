import type { InstanceName } from '../storage/known-instances.ts'
import type { WaitFacts } from '../storage/record-facts.ts'
import type { Claim } from './peer-claims.ts'
import type { Direction } from './plan.ts'

/** The links of the chain from a row to a peer's row, in the order in which they are looked at. */
export const LINKS = [
  /** Whether the application's table has the row. */
  'row',
  /** Whether it was deleted, and by whom. */
  'deletion',
  /** Whether the triggers are there that see changes of the table. */
  'tracking',
  /** Whether the last change was seen. */
  'change',
  /** Whether it is in the Store, and in which version. */
  'serialization',
  /** Whether its partition is in the filter of the sync. */
  'filter',
  /** Whether both certificates permit the sync. */
  'certificates',
  /** Whether the peer says that it has this version. */
  'claim',
  /** Whether it is on its way. */
  'transfer',
  /** Whether the row says what the record says. */
  'application',
  /** Whether another version of it has lost a conflict. */
  'conflict',
] as const

/** One link of the chain. */
export type LinkName = (typeof LINKS)[number]

/**
 * `failed`: the chain breaks here, for the reason given. `unknown`: nobody has been asked, or nothing tells.
 * `not-applicable`: it does not matter in this case.
 */
export type LinkState = 'ok' | 'failed' | 'unknown' | 'not-applicable'

/** One side's certificate and what it allows in the direction in question. */
export interface CertificateEvidence {
  readonly side: 'ours' | 'theirs'
  readonly id: string
  readonly scope: string
  readonly permits: boolean
  /** The prefixes that it allows. */
  readonly allows: readonly string[]
}

/** A transfer that a record is, or was, part of. */
export interface TransferEvidence {
  readonly id: string
  readonly direction: Direction
  readonly role: 'client' | 'server'
  /** A URL, or the address of who came here. */
  readonly peer: string
  readonly stage: string
  readonly status: string
  readonly error: string | null
  readonly recordsTransferred: number
  readonly recordsTotal: number | null
  readonly lastActivityAt: string
  /** The peer's. */
  readonly certificate: string
  /** The record's place among those to send, from 1. */
  readonly position: number | undefined
}

/** What each link is judged by. */
export interface LinkEvidence {
  readonly row: { readonly table: string; readonly exists: boolean }
  readonly deletion: {
    readonly deleted: boolean
    readonly hard: boolean
    readonly by: InstanceName | undefined
    readonly counter: number | undefined
    /** When it arrived here; undefined when it was made here or is not known any more. */
    readonly arrivedAt: string | undefined
  }
  readonly tracking: { readonly missingTriggers: readonly string[] }
  readonly change: { readonly logged: boolean; readonly differs: boolean }
  readonly serialization: {
    readonly by: InstanceName | undefined
    readonly counter: number | undefined
    readonly problem: WaitFacts | undefined
  }
  readonly filter: { readonly partition: string | undefined; readonly filter: readonly string[] | undefined }
  readonly certificates: {
    readonly direction: Direction | undefined
    readonly certificates: readonly CertificateEvidence[]
  }
  readonly claim: {
    readonly asked: boolean
    readonly claimed: Claim | undefined
    readonly needed: { readonly instance: InstanceName; readonly counter: number } | undefined
    readonly lastTransferAt: string | undefined
  }
  readonly transfer: { readonly transfers: readonly TransferEvidence[] }
  readonly application: { readonly waits: boolean; readonly problem: WaitFacts | undefined }
  readonly conflict: {
    /** Contents kept with the record, whoever settled the conflict. */
    readonly lostVersions: number
    /** Conflicts settled on this device that nobody has dealt with yet, the latest first. */
    readonly open: readonly number[]
  }
}

/** A link with what it was judged by. */
export type Link = {
  readonly [Name in LinkName]: {
    readonly link: Name
    readonly state: LinkState
    /** What was found. */
    readonly sentence: string
    /** What to do about it, where it failed. */
    readonly hint: string | undefined
    readonly evidence: LinkEvidence[Name]
  }
}[LinkName]

/** The peer that an explanation is about. */
export interface ExplainedPeer {
  readonly url: string
  readonly instance: InstanceName | undefined
  /** Whether it was asked; else this is what is known from earlier syncs. */
  readonly asked: boolean
  readonly lastTransferAt: string | undefined
}

/** Why a record did not sync, or that it did. */
export interface Explanation {
  readonly model: string
  readonly table: string
  readonly id: string
  readonly peer: ExplainedPeer | undefined
  readonly verdict: {
    /** The first link that failed; undefined when none did. */
    readonly link: LinkName | undefined
    readonly sentence: string
    readonly hint: string | undefined
  }
  /** All links, in order. */
  readonly links: readonly Link[]
}

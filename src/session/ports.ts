import type { Filter } from '../core/filter.ts'

/**
 * A buffer record on the wire (protocol §4). Exactly these keys travel, in both directions.
 */
export interface BufferRecord {
  readonly serialized: string
  readonly deleted: boolean
  readonly last_saved_instance: string
  readonly last_saved_counter: number
  readonly hard_deleted: boolean
  readonly partition: string
  readonly source_id: string
  readonly model_name: string
  readonly conflicting_serialized_data: string
  readonly model_uuid: string
  readonly transfer_session: string
  readonly profile: string
  readonly rmcb_list: readonly {
    readonly transfer_session: string
    readonly model_uuid: string
    readonly instance_id: string
    readonly counter: number
  }[]
  readonly _self_ref_fk: string
}

/** How far a long stage has come. `total` is undefined while it is not known. */
export interface StageProgress {
  readonly done: number
  readonly total: number | undefined
}

/**
 * A run's hold on a transfer. The holder is of one run, not of a process: of two runs in a process one may be a
 * ghost that has lost the transfer to the other.
 */
export interface LeaseHold {
  readonly transferSessionId: string
  readonly holder: string
}

/** What every long operation takes. */
export interface WorkOptions {
  /** Commits only while the transfer is still in these hands, else rejects with `lease-lost`. */
  readonly lease?: LeaseHold | undefined
  readonly signal?: AbortSignal | undefined
  /** Whether deletions are meant, however many they are. */
  readonly confirmDeletions?: boolean | undefined
  readonly onProgress?: ((progress: StageProgress) => void) | undefined
}

/** What one serialization did. */
export interface SerializeResult {
  readonly created: number
  readonly updated: number
  readonly deleted: number
  /** Rows of this profile that cannot be serialized, kept with their reason. */
  readonly failed: number
}

/** What one dequeue did, in records. */
export interface DequeueResult {
  readonly created: number
  readonly fastForwarded: number
  /** Dropped, because a version at least as new is here. */
  readonly known: number
  readonly conflicts: number
}

/** What one deserialization did, in records. */
export interface DeserializeResult {
  readonly written: number
  readonly deleted: number
  /** Records that could not be applied; they wait with their reason. */
  readonly failed: number
}

/** What would be sent of one model. */
export interface PreviewedModel {
  readonly model: string
  readonly records: number
  /** How many of the records are deletions. */
  readonly deletions: number
  /** Of their JSON, before anything is compressed. */
  readonly bytes: number
}

/** What a transfer would send. */
export interface QueuePreview {
  readonly models: readonly PreviewedModel[]
  /** Their ids; undefined when they are too many to be named. */
  readonly ids: readonly string[] | undefined
  /** Rows that could not be serialized. */
  readonly unserializable: number
}

/** The part of a transfer that the engine needs to know. */
export interface TransferContext {
  readonly transferSessionId: string
  readonly profile: string
  readonly filter: Filter
  /** As {@link WorkOptions.lease}. */
  readonly lease?: LeaseHold | undefined
}

export type FsicFormat = 'v1' | 'v2'

/** What the other side of a transfer may do. */
export interface PeerStanding {
  /** The prefixes under which its certificate may write; undefined: none. It may be right about this instance there. */
  readonly peerWrites?: Filter | undefined
}

/** A finished transfer, after which both sides should have the same under its filter. */
export interface ComparedTransfer extends TransferContext {
  readonly push: boolean
  /** What the other side claims to have, in format v2: each of these texts. */
  readonly peerClaims: readonly string[]
}

/** Of the records under a filter that an instance saved last: their number, and the sum of their hashes. */
export interface InstanceSum {
  readonly instance: string
  readonly records: number
  /** 16 hex digits. */
  readonly sum: string
}

/** The same of those in one partition. */
export interface PartitionSum extends InstanceSum {
  readonly partition: string
}

/**
 * The engine's operations on one database, as the session layer uses them. Each runs in transactions of its
 * own and can be killed at any point and run again.
 */
export interface Engine {
  /** App rows to Store (protocol §7). Without a filter: everything of the profile. */
  serialize(options: { profile: string; filter?: Filter } & WorkOptions): Promise<SerializeResult>
  /** Store to app rows (protocol §9). Serializes pending changes first. */
  deserialize(
    options: {
      profile: string
      filter?: Filter
      /** Whether records that failed lately are tried as well, and not only when their pause is over. */
      retryAll?: boolean
    } & WorkOptions,
  ): Promise<DeserializeResult>
  /**
   * Deserializes all records of a profile that wait, if there are any: what a killed sync left between Store and
   * rows, and what could not be applied so far. Costs one look when nothing waits.
   */
  applyWaiting(options: { profile: string } & WorkOptions): Promise<void>
  /** This side's FSIC as the text that travels (protocol §6). */
  fsic(options: { filter: Filter; role: 'producer' | 'receiver'; format: FsicFormat }): Promise<string>
  /**
   * Fills the outgoing Buffer with what the receiver lacks, replacing what an interrupted attempt left.
   * @returns the number of records queued, and the own FSIC at that moment: what the receiver may learn. The one
   *   told before may say more than was queued, when another transfer brought newer versions in between.
   * @throws MorangoError `fsic-malformed`, `fsic-outside-filter`, `fsic-too-large`, `renewal-needed`
   */
  queue(
    options: TransferContext & PeerStanding & { peerFsic: string; format: FsicFormat } & WorkOptions,
  ): Promise<{ count: number; fsic: string }>
  /** What `queue` would queue if pending changes were serialized before. Reads only. */
  preview(options: {
    profile: string
    filter: Filter
    peerFsic: string
    format: FsicFormat
    signal?: AbortSignal | undefined
  }): Promise<QueuePreview>
  /** How many of the records named were changed here, and the receiver does not know. Reads only. */
  countChanged(options: {
    profile: string
    filter: Filter
    peerFsic: string
    format: FsicFormat
    ids: readonly string[]
  }): Promise<number>
  /** A slice of the outgoing Buffer in its fixed order. */
  outgoing(transferSessionId: string, range: { offset: number; limit?: number }): Promise<BufferRecord[]>
  /** How many records the outgoing Buffer has. */
  outgoingCount(transferSessionId: string): Promise<number>
  /**
   * Checks every record of a chunk (id re-derives, partition inside the filter, history of this record and
   * session) and stores all or none in the incoming Buffer. Storing a record again replaces it.
   * @returns how many different records the incoming Buffer then has.
   * @throws MorangoError `invalid-buffer`
   */
  storeIncoming(context: TransferContext, records: readonly BufferRecord[]): Promise<number>
  /** How many different records the incoming Buffer has. */
  incomingCount(transferSessionId: string): Promise<number>
  /**
   * Buffer to Store (protocol §8), then learns the producer's counters (§6), in one transaction. Run again
   * after it has completed, it finds an empty Buffer and only learns the counters.
   * @throws MorangoError `fsic-malformed`, `fsic-outside-filter`, `fsic-too-large`, `renewal-needed`
   */
  dequeue(
    options: TransferContext & PeerStanding & { producerFsic: string; format: FsicFormat } & WorkOptions,
  ): Promise<DequeueResult>
  /** Whether sets may be compared after this transfer: once a day with a peer, in this direction under this filter. */
  comparisonDue(transfer: ComparedTransfer): Promise<boolean>
  /** Notes that sets were compared after this transfer. */
  noteComparison(transfer: ComparedTransfer): Promise<void>
  /** The sums of what is in the Store under the filter, by instance; undefined when they are too many to be told. */
  instanceSums(transfer: ComparedTransfer): Promise<readonly InstanceSum[] | undefined>
  /**
   * At the producer: the same by instance and partition, of some instances; as many as may be told at once. Those sets
   * are left out in which there is a record that the receiver does not claim, or that was too large to be sent.
   */
  partitionSums(
    transfer: ComparedTransfer & { readonly instances: readonly string[] },
  ): Promise<readonly PartitionSum[]>
  /**
   * At the receiver: forgets the claims for sets of which the producer has others, or more, so that the next transfer
   * asks again. That is kept as a doubt and told as a warning. Each claim is forgotten once a day at most, and ever less
   * often while that does not help.
   *
   * @returns how many claims were forgotten
   */
  settleSums(
    transfer: ComparedTransfer & {
      readonly theirs: readonly PartitionSum[]
      /** Whether the other side may cause claims on a partition to be forgotten. */
      readonly mayForget: (partition: string) => boolean
    },
  ): Promise<number>
  /** Deletes both Buffers of a transfer. */
  clearBuffers(transfer: { readonly id: string; readonly filter: string }, lease?: LeaseHold): Promise<void>
  /** Has the database, restored from a backup, go on as a new instance. */
  renew(): Promise<void>
  /** How many records wait with a reason: not serialized, not deserialized. */
  problemCounts(profile: string): Promise<{ unserialized: number; undeserialized: number }>
}

import type { Signer } from '../core/ports.ts'
import type { ScopeDefinition } from '../core/scope.ts'
import type { EngineWarning } from '../storage/context.ts'
import type { Budget } from './budget.ts'
import type { CertificateDeps } from './certificates.ts'
import type { InstanceInfo } from './instance-info.ts'
import type { LeaseOptions } from './lease-keeper.ts'
import type { SyncProgress } from './progress.ts'
import type { Engine } from './ports.ts'
import { realSleep } from './timing.ts'
import type { Sleep } from './timing.ts'

/** What a client is made of. */
export interface SyncClientOptions extends LeaseOptions {
  readonly engine: Engine
  readonly signer: Signer
  /** The name of the profile that it syncs. */
  readonly profile: string
  readonly scopeDefinitions: readonly ScopeDefinition[]
  /** Ids of certificates to have nothing to do with, nor with those below them. */
  readonly refusedCertificates?: ReadonlySet<string> | undefined
  instanceInfo(): InstanceInfo | Promise<InstanceInfo>
  /** What this side can; the peers' transports must send the same in their header. */
  readonly capabilities: readonly string[]
  /** Records in a chunk; 500, and up to 2,000 with peers that pack them. */
  readonly chunkSize?: number | undefined
  readonly sleep?: Sleep | undefined
  /** Told what went wrong, or may, without stopping anything. */
  readonly onWarning?: ((warning: EngineWarning) => void) | undefined
}

/** What every part of a client works with. */
export interface ClientContext extends CertificateDeps, LeaseOptions {
  readonly engine: Engine
  readonly profile: string
  readonly capabilities: readonly string[]
  readonly chunkSize: number | undefined
  readonly sleep: Sleep
  readonly onWarning: ((warning: EngineWarning) => void) | undefined
  instanceInfo(): InstanceInfo | Promise<InstanceInfo>
  /** The transfers that run here now. Their leases tell it too; of these it is certain at once. */
  readonly running: Set<string>
}

/** What a long call of a client takes. */
export interface RunOptions {
  /** Stops the sync; what was done stays, and the next one goes on from there. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: SyncProgress) => void) | undefined
  /** Whether deletions are meant, however many they are: without, too many stop the sync before any is taken over. */
  readonly confirmDeletions?: boolean | undefined
  /** Records in a chunk, for this call. */
  readonly maxChunk?: number | undefined
}

/** What one run over a transfer takes. */
export interface TransferOptions extends RunOptions {
  /** What is left of the sync's limits; undefined: it has none. */
  readonly budget?: Budget | undefined
  /** Whether an earlier sync left the transfer. */
  readonly resumed: boolean
}

/** The context of a client, defaults filled in. */
export function createClientContext(options: SyncClientOptions): ClientContext {
  const definitions = new Map(options.scopeDefinitions.map((definition) => [definition.id, definition]))
  return {
    db: options.db,
    engine: options.engine,
    signer: options.signer,
    clock: options.clock,
    random: options.random,
    databaseNow: options.databaseNow,
    leaseMs: options.leaseMs,
    pulse: options.pulse,
    profile: options.profile,
    capabilities: options.capabilities,
    chunkSize: options.chunkSize,
    sleep: options.sleep ?? realSleep,
    instanceInfo: () => options.instanceInfo(),
    scopeDefinition: (id) => definitions.get(id),
    onWarning: options.onWarning,
    refusedCertificates: options.refusedCertificates,
    running: new Set(),
  }
}

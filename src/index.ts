export { createMorango } from './morango.ts'
export type {
  CleanupReport,
  Morango,
  MorangoOptions,
  MorangoPlanOptions,
  MorangoSyncOptions,
  MorangoWorkOptions,
  ServeOptions,
} from './morango.ts'
export type { Certificates, CertificateSummary, KnownCertificate } from './certificates.ts'
export { diagnose } from './diagnosis/diagnose.ts'
export type { CheckedPart, DiagnoseOptions, Diagnosis } from './diagnosis/diagnose.ts'
export type { Claims, ForgottenClaims } from './claims.ts'
export type { Conflicts } from './conflicts.ts'
export type { Problems, RetryReport } from './problems.ts'
export { isMorangoError, MorangoError } from './core/errors.ts'
export type { MorangoErrorCode, MorangoErrorOptions } from './core/errors.ts'
export type { Clock, Random } from './core/ports.ts'
export type { Scope, ScopeDefinition } from './core/scope.ts'
export { scopeWithin } from './core/scope-within.ts'
export type { AllowedScope, Prefixes } from './core/scope-within.ts'
export { STAGES } from './core/stages.ts'
export type { Stage, StageStatus } from './core/stages.ts'
export type { DeletionBrake } from './models/deletion-brake.ts'
export type { ChoosingPolicy, MergePolicies, MergePolicy } from './models/merge/policies.ts'
export { model } from './models/model.ts'
export type {
  AnyRow,
  MergeHook,
  ModelDeclaration,
  ModelOptions,
  RowOf,
  ValidateHook,
  ValidateResult,
} from './models/model.ts'
export type { ColumnKind, MergeSide, Validation } from './models/compiled.ts'
export { defineProfile } from './models/profile.ts'
export type { Profile, ProfileOptions, ScopeIdOf } from './models/profile.ts'
export { scope } from './models/scope.ts'
export type { ScopeDeclaration, ScopeOptions } from './models/scope.ts'
export type { Peer, Service } from './protocol/peer.ts'
export type { CertificatePush, CertificateRequest } from './session/client.ts'
export type { DequeueResult, DeserializeResult, PreviewedModel, SerializeResult } from './session/ports.ts'
export type {
  CertificateEvidence,
  ExplainedPeer,
  Explanation,
  Link,
  LinkEvidence,
  LinkName,
  LinkState,
  TransferEvidence,
} from './session/explanation.ts'
export type { LastTransfer, PeerProgress, PeerSummary } from './session/peers.ts'
export type { PlannedTransfer, SyncPlan } from './session/foresee.ts'
export type { LimitKind, SyncLimits } from './session/budget.ts'
export type { Parked, SyncProgress, SyncReport, TransferReport } from './session/progress.ts'
export type { Authorization, CertificateApplicant, CertificateWish } from './session/service.ts'
export type { EngineWarning } from './storage/context.ts'
export type { InstanceName } from './storage/known-instances.ts'
export type { Database } from './storage/dialect.ts'
export { checkTracking } from './storage/check-tracking.ts'
export type { TrackingFinding } from './storage/check-tracking.ts'
export { migrateAround } from './storage/guarded-migration.ts'
export type { GuardedMigrationReport } from './storage/guarded-migration.ts'
export type { Finding, Severity } from './storage/finding.ts'
export { migrate } from './storage/prepare.ts'
export type { MigrationOptions, MigrationReport } from './storage/prepare.ts'
export type { RescanFinding, RescanOptions, RescanReport } from './storage/rescan.ts'
export type { Resolution } from './storage/conflict-log.ts'
export type {
  Conflict,
  ConflictDetails,
  ConflictField,
  ConflictQuery,
  ConflictSide,
} from './storage/conflicts.ts'
export type { ClashingRow, MissingParent, ProblemDetails, RowValues } from './storage/problem-details.ts'
export type { Problem, ProblemKind, ProblemQuery } from './storage/problems.ts'
export type { ConflictState } from './storage/schema.ts'
export type { ClaimQuery, TaughtClaim } from './storage/taught-claims.ts'
export type { ProblemEvent, ToldProblem } from './storage/tell.ts'
export type { Status } from './storage/status.ts'

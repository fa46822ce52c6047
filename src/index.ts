export { createMorango } from './morango.ts'
export type { CleanupReport, Morango, MorangoOptions, MorangoSyncOptions, ServeOptions } from './morango.ts'
export type { Certificates, CertificateSummary } from './certificates.ts'
export type { Conflicts } from './conflicts.ts'
export type { Problems, RetryReport } from './problems.ts'
export { isMorangoError, MorangoError } from './core/errors.ts'
export type { MorangoErrorCode, MorangoErrorOptions } from './core/errors.ts'
export type { Clock, Random } from './core/ports.ts'
export type { ScopeDefinition } from './core/scope.ts'
export { STAGES } from './core/stages.ts'
export type { Stage, StageStatus } from './core/stages.ts'
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
export type { DequeueResult, DeserializeResult, SerializeResult } from './session/ports.ts'
export type { SyncProgress, SyncReport, TransferReport } from './session/progress.ts'
export type { Authorization, CertificateApplicant, CertificateWish } from './session/service.ts'
export type { EngineWarning } from './storage/context.ts'
export type { Database } from './storage/dialect.ts'
export { migrate } from './storage/prepare.ts'
export type { MigrationReport } from './storage/prepare.ts'
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
export type { ProblemEvent, ToldProblem } from './storage/tell.ts'
export type { Status } from './storage/status.ts'

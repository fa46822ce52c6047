export { createMorango } from './morango.ts'
export type { Morango, MorangoOptions, MorangoSyncOptions, ServeOptions } from './morango.ts'
export type { Certificates, CertificateSummary, KnownCertificate } from './certificates.ts'
export { diagnose } from './diagnosis/diagnose.ts'
export type { CheckedPart, DiagnoseOptions, Diagnosis } from './diagnosis/diagnose.ts'
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
export type { Finding, Severity } from './storage/finding.ts'
export { migrate } from './storage/prepare.ts'
export type { MigrationReport } from './storage/prepare.ts'
export type { Problem } from './storage/problems.ts'
export type { Status } from './storage/status.ts'

/** The stages of a transfer, in their order (protocol §5). Their names are the wire's. */
export const STAGES = [
  'initializing',
  'serializing',
  'queuing',
  'transferring',
  'dequeuing',
  'deserializing',
  'cleanup',
] as const

/** One of {@link STAGES}. */
export type Stage = (typeof STAGES)[number]

/** How far a stage is (protocol §5). Their names are the wire's. */
export const STAGE_STATUSES = ['pending', 'started', 'completed', 'errored'] as const

/** One of {@link STAGE_STATUSES}. */
export type StageStatus = (typeof STAGE_STATUSES)[number]

/** The place of a stage in the order, from 0. */
export function stageIndex(stage: Stage): number {
  return STAGES.indexOf(stage)
}

/** Whether `value` names a stage. */
export function isStage(value: unknown): value is Stage {
  return STAGES.some((stage) => stage === value)
}

/** Whether `value` names a status of a stage. */
export function isStageStatus(value: unknown): value is StageStatus {
  return STAGE_STATUSES.some((status) => status === value)
}

/** Whether stage `a` comes before stage `b`. */
export function isBefore(a: Stage, b: Stage): boolean {
  return stageIndex(a) < stageIndex(b)
}

import { isStage, STAGES, type Stage } from '../src/core/stages.ts'

/**
 * A part of a transfer, of which a figure is taken: a stage, or those before anything crosses as one. Between two peers
 * of ours a single call goes through these, so that one cannot be told from the other.
 */
export type TransferPart = Exclude<Stage, 'initializing' | 'serializing' | 'queuing'> | 'until queued'

/** The part that a stage belongs to. */
export function partOfStage(stage: Stage): TransferPart {
  return stage === 'initializing' || stage === 'serializing' || stage === 'queuing' ? 'until queued' : stage
}

/** All parts, in order. */
export const TRANSFER_PARTS: readonly TransferPart[] = [...new Set(STAGES.map(partOfStage))]

/** Seconds by part, of transfers that tell milliseconds by stage. */
export function secondsByPart(
  told: readonly Readonly<Record<string, number>>[],
): Partial<Record<TransferPart, number>> {
  const seconds: Partial<Record<TransferPart, number>> = {}
  for (const [stage, ms] of told.flatMap((stages) => Object.entries(stages))) {
    if (!isStage(stage)) continue
    const part = partOfStage(stage)
    seconds[part] = (seconds[part] ?? 0) + ms / 1000
  }
  return seconds
}

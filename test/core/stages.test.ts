import { expect, it } from 'vitest'
import { isBefore, isStage, isStageStatus, stageIndex, STAGES } from '../../src/core/stages.ts'

it('knows the stages and their order', () => {
  expect(STAGES.map(stageIndex)).toEqual([0, 1, 2, 3, 4, 5, 6])
  expect(isBefore('queuing', 'transferring')).toBe(true)
  expect(isBefore('queuing', 'queuing')).toBe(false)
  expect(isStage('cleanup')).toBe(true)
  expect([undefined, 'toString', ''].some(isStage)).toBe(false)
  expect(isStageStatus('errored')).toBe(true)
  expect(isStageStatus('done')).toBe(false)
})

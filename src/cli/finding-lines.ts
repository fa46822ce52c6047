import type { RescanFinding } from '../storage/rescan.ts'
import { counted } from './format.ts'

/** What a rescan found of a model, in a line for each kind with an id or two; nothing where there is nothing. */
export function findingLines({ model, missing, different, extra, samples }: RescanFinding): string[] {
  return [
    ...line(model, counted(missing, 'new row'), samples.missing, missing),
    ...line(model, counted(different, 'changed row'), samples.different, different),
    ...line(model, counted(extra, 'deleted row'), samples.extra, extra),
  ]
}

function line(model: string, what: string, [first]: readonly string[], count: number): string[] {
  if (first === undefined) return []
  return [`  ${model.padEnd(14)} ${what.padEnd(20)} ${count === 1 ? '' : 'such as '}${first}`]
}

import { ID_PLACEHOLDER } from '../core/ids.ts'
import { FieldError } from './compiled.ts'
import { fillTemplate, parseTemplate } from './template.ts'
import type { ColumnTemplate } from './template.ts'

type Row = Readonly<Record<string, unknown>>
type Declared = string | ((row: object) => string)

/** Derives a text from a row. */
export type PartitionRule = (row: Row) => string

/** The same; where the row has no random source id yet, `randomUuid` makes one. */
export type SourceIdRule = (row: Row, randomUuid?: () => string) => string

/** The rule for partitions. What it gives holds the literal placeholder where the record's own id belongs. */
export function compilePartition(name: string, declared: Declared): PartitionRule {
  if (typeof declared === 'string') {
    const template = parseTemplate(declared, `Model "${name}": the partition`)
    return (row) => fillTemplate(template, row, ID_PLACEHOLDER, 'partition-empty')
  }
  return (row) => callRule(declared, { ...row, id: ID_PLACEHOLDER }, 'partition', name)
}

/** The rule for source ids that come from other columns or, with `column`, are random and kept there. */
export function compileSourceId(
  name: string,
  declared: Declared | undefined,
  column: string | undefined,
): SourceIdRule | undefined {
  if (typeof declared === 'function') return (row) => callRule(declared, row, 'source-id', name)
  if (declared !== undefined) {
    const template: ColumnTemplate = parseTemplate(declared, `Model "${name}": the sourceId`)
    return (row) => fillTemplate(template, row, '', 'source-id-empty')
  }
  if (column === undefined) return undefined
  return (row, randomUuid) => {
    const sourceId = row[column] ?? randomUuid?.()
    if (typeof sourceId === 'string' && sourceId !== '') return sourceId
    throw new FieldError(
      'source-id-empty',
      `"${column}" has no source id in it: create rows with morango.record()`,
      column,
    )
  }
}

function callRule(
  rule: (row: object) => string,
  row: Row,
  what: 'partition' | 'source-id',
  name: string,
): string {
  let text: unknown
  try {
    text = rule(row)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new FieldError(`${what}-failed`, `The ${what} function of model "${name}" failed: ${reason}`)
  }
  if (typeof text === 'string' && text !== '') return text
  throw new FieldError(`${what}-empty`, `The ${what} function of model "${name}" gave no text`)
}

import { resolvePartition } from '../core/ids.ts'
import { FieldError } from './compiled.ts'
import type { CompiledModel, RecordIdentity } from './compiled.ts'
import type { PartitionRule, SourceIdRule } from './identity-rules.ts'
import { excerpt } from './kinds/codec.ts'
import type { ModelDeclaration } from './model.ts'
import { fillTemplate, ID_COLUMN, parseTemplate } from './template.ts'

type Row = Readonly<Record<string, unknown>>

/** How a model knows who a row is. */
interface IdentityRules {
  readonly identify: CompiledModel['identify']
  readonly partitionOf: PartitionRule
  readonly sourceIdOf: SourceIdRule | undefined
}

/** Compiles the check that holds a row to the label of its record (protocol §11). */
export function compileElsewhere(
  name: string,
  declared: ModelDeclaration,
  { identify, partitionOf, sourceIdOf }: IdentityRules,
): CompiledModel['elsewhere'] {
  const { partition: rule, partitionBegins, sourceId: sourceIdRule } = declared
  const begins = partitionBegins === undefined ? undefined : parseTemplate(partitionBegins)
  const from = sourceOf(rule)
  const wrong = (row: Row, label: RecordIdentity): string | undefined => {
    if (row['id'] !== label.id) return `its id is ${excerpt(row['id'])}, but it came as ${label.id}`
    if (begins !== undefined) {
      const start = fillTemplate(begins, row, label.id, 'partition-empty')
      if (!isUnder(label.partition, start)) {
        return `${listed(begins.columns)} put it under "${start}", but it came for "${label.partition}"`
      }
      if (sourceIdOf === undefined || typeof sourceIdRule === 'function') return undefined
      return otherSourceId(sourceIdRule, sourceIdOf(row), label)
    }
    const partition = resolvePartition(partitionOf(row), label.id)
    if (partition !== label.partition) {
      return `${from} put it into "${partition}", but it came for "${label.partition}"`
    }
    const sourceId = sourceIdOf === undefined ? label.id : sourceIdOf(row)
    const other = otherSourceId(sourceIdRule, sourceId, label)
    if (other !== undefined) return other
    identify(row)
    return undefined
  }
  return (row, label) => {
    try {
      const why = wrong(row, label)
      return why === undefined ? undefined : `The content of the record belongs elsewhere: ${why}`
    } catch (error) {
      if (!(error instanceof FieldError)) throw error
      return `The content of a ${name} does not say where it belongs: ${error.message}. It came for "${label.partition}"`
    }
  }
}

/** The columns that tell who a row is; undefined where a function may look at all. */
export function identityColumnsOf(
  { partition, partitionBegins, sourceId }: ModelDeclaration,
  sourceIdColumn: string | undefined,
): readonly string[] | undefined {
  const template = typeof partition === 'string' ? partition : partitionBegins
  if (template === undefined) return undefined
  const columns = new Set([ID_COLUMN, ...parseTemplate(template).columns])
  if (typeof sourceId === 'string') for (const name of parseTemplate(sourceId).columns) columns.add(name)
  else if (typeof sourceId === 'function' && partitionBegins === undefined) return undefined
  if (sourceIdColumn !== undefined) columns.add(sourceIdColumn)
  return [...columns]
}

// "a" covers "a" and "a:b", not "ab".
function isUnder(partition: string, start: string): boolean {
  return partition === start || partition.startsWith(start.endsWith(':') ? start : `${start}:`)
}

function otherSourceId(
  rule: ModelDeclaration['sourceId'],
  sourceId: string,
  label: RecordIdentity,
): string | undefined {
  if (sourceId === label.sourceId) return undefined
  return `${sourceOf(rule)} give the source id ${excerpt(sourceId)}, but it came with ${excerpt(label.sourceId)}`
}

function sourceOf(rule: ModelDeclaration['partition'] | undefined): string {
  if (typeof rule !== 'string') return 'its columns'
  return listed(parseTemplate(rule).columns)
}

function listed(columns: readonly string[]): string {
  const names = columns.map((column) => `"${column}"`)
  return names.length === 0 ? 'its columns' : `the values of ${names.join(' and ')}`
}

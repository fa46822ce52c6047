import type { CompiledColumn } from '../compiled.ts'
import { columnError, type DeclaredTable } from '../declared-table.ts'
import { suggestName } from '../near-names.ts'
import { parseTemplate } from '../template.ts'
import type { CheckedPolicies } from './merge-fields.ts'
import { compareOf } from './ordering.ts'
import type { MergePolicies, MergePolicy } from './policies.ts'

const WORDS: readonly unknown[] = ['ours', 'theirs', 'min', 'max', 'sum', 'union']
const OTHERS = '*'

/**
 * Checks that each policy can be followed.
 *
 * @throws MorangoError `invalid-declaration`
 */
export function checkPolicies(
  table: DeclaredTable,
  columns: readonly CompiledColumn[],
  policies: MergePolicies,
): CheckedPolicies {
  const named = new Map<string, MergePolicy>()
  let others: MergePolicy | undefined
  for (const [name, policy] of Object.entries(policies)) {
    if (policy === undefined) continue
    checkForm(table, name, policy)
    if (name === OTHERS) others = policy
    else {
      checkColumn(table, columns, name, policy)
      named.set(name, policy)
    }
  }
  for (const [name, policy] of [...named, [OTHERS, others] as const]) {
    if (typeof policy === 'object')
      named.set(checkDecider(table, columns, name, policy.latestBy, named), 'max')
  }
  return { named, others, summed: columns.filter(({ name }) => named.get(name) === 'sum') }
}

function checkForm(table: DeclaredTable, name: string, policy: MergePolicy): void {
  const latestBy = typeof policy === 'object' && typeof policy.latestBy === 'string'
  if (!latestBy && !WORDS.includes(policy)) {
    throw columnError(
      table.name,
      name,
      `there is no merge policy ${JSON.stringify(policy)}`,
      "There are: 'ours', 'theirs', 'min', 'max', 'sum', 'union' and { latestBy: column }",
    )
  }
  if (name === OTHERS && !latestBy && policy !== 'ours' && policy !== 'theirs') {
    throw columnError(
      table.name,
      name,
      `${JSON.stringify(policy)} does not go for columns of any kind`,
      "Name the columns; for all others there are 'ours', 'theirs' and { latestBy: column }",
    )
  }
}

function checkColumn(
  table: DeclaredTable,
  columns: readonly CompiledColumn[],
  name: string,
  policy: MergePolicy,
): void {
  const column = syncedColumn(table, columns, name)
  if (identityColumns(table).has(name)) {
    throw columnError(
      table.name,
      name,
      'it never changes, so there is nothing to merge',
      'Take it out of `merge`',
    )
  }
  const problem = misfit(column, policy)
  if (problem !== undefined) throw columnError(table.name, name, ...problem)
}

function misfit(column: CompiledColumn, policy: MergePolicy): [problem: string, hint: string] | undefined {
  const { kind, name } = column
  switch (policy) {
    case 'min':
    case 'max':
      if (compareOf(kind, name) !== undefined) return undefined
      return [`values of kind "${kind}" have no order, so there is no "${policy}"`, 'Take another policy']
    case 'sum':
      if (kind === 'integer' || kind === 'decimal') return undefined
      return kind === 'real'
        ? [
            'sums of floating-point numbers depend on their order, so peers would not agree',
            'Declare it as integer or decimal, or take another policy',
          ]
        : [`there are no sums of values of kind "${kind}"`, 'Take another policy']
    case 'union':
      if (kind === 'json' && column.holdsLists) return undefined
      return [
        kind === 'json' ? 'its JSON travels as a string' : `its kind is "${kind}", which holds no lists`,
        'Declare it as json, or take another policy',
      ]
    default:
      return undefined
  }
}

function checkDecider(
  table: DeclaredTable,
  columns: readonly CompiledColumn[],
  name: string,
  decider: string,
  named: ReadonlyMap<string, MergePolicy>,
): string {
  const column = syncedColumn(table, columns, decider)
  if (compareOf(column.kind, decider) === undefined) {
    throw columnError(
      table.name,
      name,
      `"${decider}" cannot tell which side is the latest: values of kind "${column.kind}" have no order`,
      'Name a column that has one, such as the time of the last edit',
    )
  }
  const own = named.get(decider)
  if (own === undefined || own === 'max' || (typeof own === 'object' && own.latestBy === decider))
    return decider
  throw columnError(
    table.name,
    decider,
    `it decides which "${name}" is the latest, so the later of both must be kept`,
    `Leave it out of \`merge\`, or give it 'max'`,
  )
}

function syncedColumn(
  table: DeclaredTable,
  columns: readonly CompiledColumn[],
  name: string,
): CompiledColumn {
  const column = columns.find((known) => known.name === name)
  if (column !== undefined) return column
  const names = table.info.columns.map((known) => known.name)
  throw names.includes(name)
    ? columnError(
        table.name,
        name,
        'it does not sync, so there is nothing to merge',
        'Take it out of `merge`',
      )
    : columnError(
        table.name,
        name,
        `\`merge\` names it, but table "${table.info.name}" has no such column`,
        suggestName(name, names),
      )
}

function identityColumns({ declared, sourceIdColumn }: DeclaredTable): ReadonlySet<string> {
  const templates = [declared.partition, declared.sourceId].filter((one) => typeof one === 'string')
  return new Set([
    'id',
    ...(sourceIdColumn === undefined ? [] : [sourceIdColumn]),
    ...templates.flatMap((template) => parseTemplate(template).columns),
  ])
}

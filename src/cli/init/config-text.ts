import type { ColumnDeclaration } from '../../models/column-options.ts'
import type { Proposal, ProposedTable } from './propose.ts'

/** Where the database is. */
export type Place =
  | { readonly kind: 'sqlite'; readonly path: string }
  /** Without the password, which is not for a file that is shared. */
  | { readonly kind: 'postgres'; readonly url: string; readonly hasPassword: boolean }

/** What is written besides the proposal. */
export interface ConfigChoices {
  readonly place: Place
  readonly profile: string
  /** The root certificate's id; empty while there is none. */
  readonly dataset: string
}

/** The text of a `morango.config.ts`. */
export function configText({ ownership, tables, refused }: Proposal, choices: ConfigChoices): string {
  const { place, profile } = choices
  const root = ownership.by === 'column' ? ownership.column : 'dataset'
  const variable = variableName(profile)
  return [
    `import process from 'node:process'`,
    `import { defineProfile, model, scope } from 'morango'`,
    `import { defineConfig } from 'morango/config'`,
    `import { ${place.kind} } from 'morango/${place.kind}'`,
    '',
    ...(ownership.by === 'dataset' ? datasetLines(choices.dataset, tables) : []),
    '// What syncs. The same on all devices: names, partitions and scopes may not change later.',
    `const ${variable} = defineProfile({`,
    `  name: ${text(profile)},`,
    '  models: {',
    ...tables.flatMap((table) => modelLines(table, partition(ownership, table.table))),
    '  },',
    ...(refused.length === 0
      ? []
      : [
          '  // Not these, as they are:',
          ...refused.map(({ table, reason }) => `  //   ${table}: ${comment(reason)}`),
        ]),
    '  scopes: {',
    '    // Makes the root certificate, once, on the first device.',
    `    owner: scope({ root: ${text(root)}, readWrite: ${template(root)} }),`,
    '    // What other devices ask for.',
    `    member: scope({ readWrite: ${template(root)} }),`,
    `    reader: scope({ read: ${template(root)} }),`,
    ...(ownership.by === 'dataset' && ownership.column !== undefined
      ? [
          `    // One ${comment(ownership.column)} alone.`,
          `    part: scope({ readWrite: '\${dataset}:\${${ownership.column}}:' }),`,
        ]
      : []),
    '  },',
    '})',
    '',
    'export default defineConfig({',
    ...databaseLines(place),
    `  profiles: [${variable}],`,
    ...authorizeLines(ownership, tables),
    '})',
    '',
  ].join('\n')
}

/** Only the scopes that devices ask for, and only what lies under the root certificate. */
function authorizeLines({ by, column }: Proposal['ownership'], tables: readonly ProposedTable[]): string[] {
  const knowsDataset = by === 'dataset' && tables.length > 0
  const scopes = ['member', 'reader', ...(by === 'dataset' && column !== undefined ? ['part'] : [])]
  return [
    '  // Who gets a certificate from `morango serve`. Ask your own users here instead of one password for all, and',
    '  // say for each which scopes and which partitions: what is admitted here cannot be taken back.',
    `  authorize: ({ username, password }, { scopeDefinition, ${knowsDataset ? '' : 'parentId, '}isWithin }) => {`,
    `    const expected = process.env['MORANGO_SERVE_PASSWORD'] ?? ''`,
    `    if (expected === '' || username !== 'device' || password !== expected) return 'unauthenticated'`,
    `    return [${scopes.map(text).join(', ')}].includes(scopeDefinition) && isWithin(${knowsDataset ? 'dataset' : 'parentId'})`,
    '  },',
  ]
}

function datasetLines(dataset: string, tables: readonly ProposedTable[]): string[] {
  if (tables.length === 0) return []
  return [
    '// The id of the root certificate, which `morango cert create-root owner` prints: the same on all devices.',
    '// Without it no row is in any partition, and none is sent.',
    `const dataset: string = ${text(dataset)}`,
    '',
    'function inDataset(rest: string): string {',
    "  return dataset === '' ? '' : `${dataset}:${rest}`",
    '}',
    '',
  ]
}

function partition({ by, column }: Proposal['ownership'], table: string): string {
  if (by === 'column') return text(`\${${column}}:${table}`)
  return `inDataset(${text(column === undefined ? table : `\${${column}}:${table}`)})`
}

function modelLines({ table, columns, remarks }: ProposedTable, partitionText: string): string[] {
  const declared = Object.entries(columns)
  return [
    ...remarks.map((remark) => `    // ${comment(remark)}.`),
    `    ${key(table)}: model({`,
    `      table: ${text(table)},`,
    `      id: 'source-id',`,
    `      partition: ${partitionText},`,
    ...(declared.length === 0
      ? []
      : [
          '      columns: {',
          ...declared.map(([name, kind]) => `        ${key(name)}: ${kindText(kind)},`),
          '      },',
        ]),
    '    }),',
  ]
}

function databaseLines(place: Place): string[] {
  if (place.kind === 'sqlite') return [`  database: () => sqlite(${text(place.path)}),`]
  if (!place.hasPassword) return [`  database: () => postgres(${text(place.url)}),`]
  return [
    '  // With the password, which does not belong in here.',
    `  database: () => postgres(process.env['DATABASE_URL'] ?? ${text(place.url)}),`,
  ]
}

function kindText(kind: ColumnDeclaration): string {
  if (typeof kind === 'string') return text(kind)
  const members = Object.entries(kind).map(([name, value]) => `${name}: ${text(String(value))}`)
  return `{ ${members.join(', ')} }`
}

function template(parameter: string): string {
  return `'\${${parameter}}'`
}

function variableName(profile: string): string {
  const name = profile.replaceAll(/[^A-Za-z0-9]+(.)?/gu, (_all, next: string | undefined) =>
    (next ?? '').toUpperCase(),
  )
  return /^[A-Za-z]/u.test(name) && !RESERVED.has(name) ? name : 'syncing'
}

// What a profile may be called and a variable may not.
const RESERVED = new Set([
  'process',
  'model',
  'scope',
  'sqlite',
  'postgres',
  'dataset',
  'inDataset',
  'defineProfile',
  'defineConfig',
  'class',
  'default',
  'new',
  'delete',
  'function',
  'import',
  'export',
  'package',
  'public',
  'private',
  'static',
  'enum',
  'case',
  'switch',
])

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/u.test(name) ? name : text(name)
}

/** A string of TypeScript in single quotes. */
function text(value: string): string {
  return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

function comment(value: string): string {
  return value.replaceAll(/\s+/gu, ' ')
}

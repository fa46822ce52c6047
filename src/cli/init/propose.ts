import { isMorangoError } from '../../core/errors.ts'
import type { ColumnDeclaration } from '../../models/column-options.ts'
import { compileProfile } from '../../models/compile-profile.ts'
import { FieldError } from '../../models/compiled.ts'
import { model, type ModelDeclaration } from '../../models/model.ts'
import { defineProfile, type Profile } from '../../models/profile.ts'
import { scope } from '../../models/scope.ts'
import type { TableInfo } from '../../models/table-info.ts'
import { usageError } from '../failure.ts'
import { proposeKind } from './kinds.ts'
import type { Sample, SampledTable } from './samples.ts'

/** Who gets the rows: by a column that holds the root certificate's id, or all of one dataset, perhaps in parts. */
export type Ownership =
  | { readonly by: 'column'; readonly column: string }
  | { readonly by: 'dataset'; readonly column: string | undefined }

/** A table that can sync, and what is to be said of it. */
export interface ProposedTable {
  readonly table: string
  readonly columns: Readonly<Record<string, ColumnDeclaration>>
  /** For people: what to keep in mind. */
  readonly remarks: readonly string[]
}

/** A table that cannot sync as it is, and why. */
export interface RefusedTable {
  readonly table: string
  readonly reason: string
}

/** What `morango init` would write. */
export interface Proposal {
  readonly ownership: Ownership
  readonly tables: readonly ProposedTable[]
  readonly refused: readonly RefusedTable[]
}

/** What is asked for. */
export interface Wishes {
  readonly profile: string
  /** The tables to take; all that can sync when missing. */
  readonly tables?: readonly string[] | undefined
  /** The column that says who gets a row; looked for when missing. */
  readonly partition?: string | undefined
}

const HEX = /^[0-9a-f]{32}$/u
const TOOLS = /migrations?$|^__|^_prisma|^schema_(?:info|version)|^knex_|^typeorm_/iu
const OWNERS = [
  'dataset',
  'dataset_id',
  'site',
  'site_id',
  'tenant',
  'tenant_id',
  'organization_id',
  'organisation_id',
  'org_id',
  'facility_id',
  'account_id',
  'workspace_id',
  'project_id',
  'team_id',
]

/**
 * Proposes how tables of a database can sync.
 *
 * @throws CommandError when a table or column that was named is not there
 */
export function propose(all: readonly SampledTable[], wishes: Wishes): Proposal {
  const refused: RefusedTable[] = []
  const able: SampledTable[] = []
  for (const one of chosen(all, wishes.tables)) {
    const reason = refusal(one)
    if (reason === undefined) able.push(one)
    else refused.push({ table: one.info.name, reason })
  }
  const ownership = chooseOwnership(able, wishes.partition)
  const infos = new Map(all.map(({ info }) => [info.name, info]))
  const tables: ProposedTable[] = []
  for (const one of able) {
    const { name } = one.info
    if (ownership.column !== undefined && column(one.info, ownership.column) === undefined) {
      const reason = `it has no column "${ownership.column}" to say who gets a row`
      refused.push({ table: name, reason })
      continue
    }
    const proposed = describe(one, able)
    const kept = withFittingColumns(wishes.profile, ownership, tables, proposed, infos, one)
    if (typeof kept === 'string') refused.push({ table: name, reason: kept })
    else tables.push(kept)
  }
  return { ownership, tables, refused }
}

/** The profile that a proposal stands for, in the dataset that is named. */
export function profileOf(
  name: string,
  ownership: Ownership,
  tables: readonly Pick<ProposedTable, 'table' | 'columns'>[],
): Profile {
  const models = tables.map(({ table, columns }): [string, ModelDeclaration] => [
    table,
    model({ table, id: 'source-id', partition: partitionOf(ownership, table, 'dataset'), columns }),
  ])
  return defineProfile({
    name,
    models: Object.fromEntries(models),
    scopes: { owner: scope({ root: 'dataset', readWrite: '${dataset}' }) },
  })
}

/** The template of a table's partitions. */
export function partitionOf(ownership: Ownership, table: string, dataset: string): string {
  if (ownership.by === 'column') return `\${${ownership.column}}:${table}`
  const part = ownership.column === undefined ? '' : `\${${ownership.column}}:`
  return `${dataset}:${part}${table}`
}

function chosen(all: readonly SampledTable[], names: readonly string[] | undefined): readonly SampledTable[] {
  if (names === undefined) return all
  return names.map((name) => {
    const found = all.find(({ info }) => info.name === name)
    if (found !== undefined) return found
    throw usageError(
      `The database has no table "${name}"`,
      `It has: ${all.map(({ info }) => info.name).join(', ')}.`,
    )
  })
}

function refusal({ info, samples }: SampledTable): string | undefined {
  if (info.type !== 'table')
    return `it is a ${info.type === 'view' ? 'view' : 'virtual table'}, whose changes no trigger sees`
  if (TOOLS.test(info.name)) return 'it belongs to a migration tool, and is of this device alone'
  const [key, ...more] = info.primaryKey
  if (key === undefined) return 'it has no primary key; it needs a column "id" of 32 hex digits'
  if (more.length > 0)
    return `its primary key has several columns (${info.primaryKey.join(', ')}); it needs one, "id"`
  if (key !== 'id') return `its primary key is "${key}", and must be "id"`
  const id = column(info, key)
  if (id?.kind !== 'text' && id?.kind !== 'uuid') {
    return `its ids are of type ${id?.declaredType ?? '?'}, which two devices would give twice; they must be 32 hex digits`
  }
  const bad = id.kind === 'uuid' ? undefined : samples.get('id')?.find(({ text }) => !HEX.test(text))
  if (bad === undefined) return undefined
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[0-9a-f]{32}$/iu.test(bad.text)
    ? "its ids are UUIDs with dashes or capitals; rewrite them as lower(replace(id, '-', ''))"
    : 'its ids are not 32 lowercase hex digits'
}

function chooseOwnership(able: readonly SampledTable[], wished: string | undefined): Ownership {
  if (wished !== undefined && !able.some(({ info }) => column(info, wished) !== undefined)) {
    throw usageError(
      `No table that can sync has a column "${wished}"`,
      'Name a column of them with --partition, or leave it out.',
    )
  }
  const found =
    wished ??
    OWNERS.find((name) => able.length > 0 && able.every(({ info }) => isOwner(column(info, name)?.kind)))
  if (found === undefined) return { by: 'dataset', column: undefined }
  const values = able.flatMap(({ samples }): readonly Sample[] => samples.get(found) ?? [])
  return values.every(({ text }) => HEX.test(text))
    ? { by: 'column', column: found }
    : { by: 'dataset', column: found }
}

function isOwner(kind: string | undefined): boolean {
  return kind === 'text' || kind === 'integer'
}

function describe({ info, samples }: SampledTable, able: readonly SampledTable[]): ProposedTable {
  const syncing = new Set(able.map((other) => other.info.name.toLowerCase()))
  const references = info.foreignKeys.filter(({ targetTable }) => syncing.has(targetTable.toLowerCase()))
  const holdIds = new Set(['id', ...references.flatMap(({ columns }) => columns)])
  const columns: Record<string, ColumnDeclaration> = {}
  for (const one of info.columns) {
    if (holdIds.has(one.name)) continue
    const kind = proposeKind(one, samples.get(one.name) ?? [])
    if (kind !== undefined) columns[one.name] = kind
  }
  const remarks = info.foreignKeys
    .filter((key) => !references.includes(key))
    .map(
      ({ columns: [from = ''], targetTable }) =>
        `${from} refers to ${targetTable}, which does not sync: its rows must be on every device`,
    )
  return { table: info.name, columns, remarks }
}

/** The proposal without declarations that the values themselves speak against; the reason when nothing helps. */
function withFittingColumns(
  profile: string,
  ownership: Ownership,
  before: readonly ProposedTable[],
  proposed: ProposedTable,
  infos: ReadonlyMap<string, TableInfo>,
  { samples }: SampledTable,
): ProposedTable | string {
  try {
    const compiled = compileProfile(profileOf(profile, ownership, [...before, proposed]), infos)
    const columns = { ...proposed.columns }
    const compiledColumns = compiled.models.find(({ table }) => table === proposed.table)?.columns ?? []
    for (const { name, encode } of compiledColumns) {
      if (columns[name] !== undefined && !samples.get(name)?.every((sample) => fits(encode, sample))) {
        delete columns[name]
      }
    }
    const kept = { ...proposed, columns }
    compileProfile(profileOf(profile, ownership, [...before, kept]), infos)
    return kept
  } catch (error) {
    if (!isMorangoError(error, 'invalid-declaration')) throw error
    const reason = error.message.replace(/\.$/u, '')
    return error.hint === undefined ? reason : `${reason}. ${error.hint.replace(/\.$/u, '')}`
  }
}

function fits(encode: (value: unknown) => string, { type, text }: Sample): boolean {
  // Its text is not its value.
  if (type === 'blob') return true
  try {
    encode(type === 'integer' || type === 'real' ? Number(text) : text)
    return true
  } catch (error) {
    if (error instanceof FieldError) return false
    throw error
  }
}

function column(info: TableInfo, name: string): TableInfo['columns'][number] | undefined {
  return info.columns.find((one) => one.name === name)
}

import { MAX_MODEL_NAME, MAX_PROFILE } from '../core/limits.ts'
import type { ScopeDefinition } from '../core/scope.ts'
import { checkLength, declarationError } from './declaration-error.ts'
import type { ModelDeclaration } from './model.ts'
import { toScopeDefinition } from './scope.ts'
import type { ScopeDeclaration } from './scope.ts'
import { ID_COLUMN, parseTemplate } from './template.ts'

/** What syncs together: models by key, scopes by id. */
export interface ProfileOptions<Models, Scopes> {
  /** The profile's name on the wire, at most 20 characters. It is part of every certificate. */
  readonly name: string
  readonly models: Models
  readonly scopes: Scopes
}

/** The models of a profile by key. */
export type ModelDeclarations = Readonly<Record<string, ModelDeclaration>>

declare const SCOPE_ID: unique symbol

/** A profile as declared; made by {@link defineProfile}. */
export interface Profile<
  Models extends ModelDeclarations = ModelDeclarations,
  ScopeId extends string = string,
> {
  readonly name: string
  readonly models: Models
  readonly scopes: Readonly<Record<string, ScopeDefinition>>
  /** The ids of its scopes, for the compiler only. */
  readonly [SCOPE_ID]?: ScopeId
}

/** The ids of a profile's scopes, as a type. */
export type ScopeIdOf<Declared> = Declared extends Profile<ModelDeclarations, infer ScopeId> ? ScopeId : never

/**
 * Declares a profile. Everything that can be checked without the database is checked here.
 *
 * @throws MorangoError `invalid-declaration`
 * @example
 * const gazetteer = defineProfile({
 *   name: 'gazetteer',
 *   models: {
 *     country: model({ table: 'country', sourceId: '${code}', partition: '${id}' }),
 *     place: model({ table: 'place', partition: '${country_id}:place' }),
 *   },
 *   scopes: {
 *     'full-country': scope({ root: 'country_id', readWrite: '${country_id}' }),
 *     'place-reader': scope({ read: '${country_id}:place' }),
 *   },
 * })
 */
export function defineProfile<
  const Models extends ModelDeclarations,
  const Scopes extends Readonly<Record<string, ScopeDeclaration>>,
>(options: ProfileOptions<Models, Scopes>): Profile<Models, keyof Scopes & string> {
  const { name, models } = options
  checkLength('profile name', name, MAX_PROFILE)
  for (const [key, declared] of Object.entries(models)) checkModel(modelName(key, declared), declared)
  checkDistinct(models)
  const scopes: Record<string, ScopeDefinition> = {}
  for (const [id, declared] of Object.entries(options.scopes)) {
    scopes[id] = toScopeDefinition(name, id, declared)
  }
  return { name, models, scopes }
}

/** The name on the wire of the model under `key`. */
export function modelName(key: string, declared: ModelDeclaration): string {
  return declared.name ?? key
}

function checkModel(name: string, declared: ModelDeclaration): void {
  checkLength('model name', name, MAX_MODEL_NAME)
  const { partition, partitionBegins, sourceId } = declared
  if (typeof partition === 'string') parseTemplate(partition, `Model "${name}": the partition`)
  if (partitionBegins !== undefined) checkBegins(name, partition, partitionBegins)
  if (declared.sourceIdColumn !== undefined && (sourceId !== undefined || declared.id === 'source-id')) {
    throw declarationError(
      `Model "${name}" has a sourceIdColumn besides ${sourceId === undefined ? "id: 'source-id'" : 'a sourceId'}`,
      'Leave it out: it is for random source ids that have no other place',
    )
  }
  if (typeof sourceId !== 'string') return
  const { columns } = parseTemplate(sourceId, `Model "${name}": the sourceId`)
  if (sourceId === '') {
    throw declarationError(
      `Model "${name}" has an empty sourceId`,
      'Name the columns that tell a record from others, or leave sourceId out for a random one',
    )
  }
  if (columns.includes(ID_COLUMN)) {
    throw declarationError(
      `Model "${name}": the sourceId "${sourceId}" names the id, which is derived from it`,
      "Name other columns; for ids that are the source id itself leave sourceId out and set id: 'source-id'",
    )
  }
}

function checkBegins(name: string, partition: ModelDeclaration['partition'], begins: string): void {
  if (typeof partition === 'string') {
    throw declarationError(
      `Model "${name}" has a partitionBegins besides a partition template`,
      'Leave it out: it is for partition functions that look at other rows',
    )
  }
  if (parseTemplate(begins, `Model "${name}": the partitionBegins`).columns.length > 0) return
  throw declarationError(
    `Model "${name}": the partitionBegins "${begins}" names no column, so it holds a row to nothing`,
    'Name the columns whose values the partition begins with',
  )
}

function checkDistinct(models: ModelDeclarations): void {
  const keyByName = new Map<string, string>()
  const keyByTable = new Map<string, string>()
  for (const [key, declared] of Object.entries(models)) {
    const name = modelName(key, declared)
    const sameName = keyByName.get(name)
    if (sameName !== undefined) {
      throw declarationError(
        `The models "${sameName}" and "${key}" have the same name "${name}"`,
        'Give one of them another `name`',
      )
    }
    const sameTable = keyByTable.get(declared.table)
    if (sameTable !== undefined) {
      throw declarationError(
        `The models "${sameTable}" and "${key}" have the same table "${declared.table}"`,
        'A table can be of one model only: take one of them out',
      )
    }
    keyByName.set(name, key)
    keyByTable.set(declared.table, key)
  }
}

import { DatabaseSync } from 'node:sqlite'
import { compileProfile } from '../../src/models/compile-profile.ts'
import type { CompiledModel, CompiledProfile } from '../../src/models/compiled.ts'
import { model } from '../../src/models/model.ts'
import type { ModelOptions } from '../../src/models/model.ts'
import { defineProfile } from '../../src/models/profile.ts'
import type { ModelDeclarations, Profile } from '../../src/models/profile.ts'
import { readSqliteTables } from '../../src/models/read-sqlite-table.ts'
import type { Query } from '../../src/models/read-sqlite-table.ts'
import type { TableInfo } from '../../src/models/table-info.ts'

/** An in-memory database after some statements. */
export function openDatabase(sql: string): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  database.exec(sql)
  return database
}

/** The query function that introspection takes. */
export function queryOf(database: DatabaseSync): Query {
  return <Row>(sql: string, parameters: readonly unknown[]) =>
    // The statements under test say what their rows are.
    Promise.resolve(database.prepare(sql).all(...parameters.map(String)) as Row[])
}

/** The tables that some statements create. */
export function tablesOf(sql: string): Promise<ReadonlyMap<string, TableInfo>> {
  return readSqliteTables(queryOf(openDatabase(sql)))
}

/** A profile without scopes. */
export function profileOf<const Models extends ModelDeclarations>(models: Models): Profile<Models, never> {
  return defineProfile({ name: 'test', models, scopes: {} })
}

/** Compiles models over the tables that some statements create. */
export async function compile(sql: string, models: ModelDeclarations): Promise<CompiledProfile> {
  return compileProfile(profileOf(models), await tablesOf(sql))
}

/** Compiles one model, named `thing`. */
export async function compileOne(
  sql: string,
  options: Omit<ModelOptions, 'table'> & { table?: string },
): Promise<CompiledModel> {
  const compiled = await compile(sql, { thing: model({ table: 'thing', ...options }) })
  return mustFind(compiled, 'thing')
}

export function mustFind(compiled: CompiledProfile, name: string): CompiledModel {
  const found = compiled.model(name)
  if (found === undefined) throw new Error(`no model ${name}`)
  return found
}

export const ID_A: string = 'a'.repeat(32)
export const ID_B: string = 'b'.repeat(32)

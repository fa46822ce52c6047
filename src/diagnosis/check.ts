import type { Clock, Signer } from '../core/ports.ts'
import type { Profile } from '../models/profile.ts'
import type { Database } from '../storage/dialect.ts'
import type { Finding } from '../storage/finding.ts'

/** What checks look at. */
export interface CheckContext {
  readonly database: Database
  readonly profiles: readonly Profile[]
  readonly clock: Clock
  readonly signer: Signer
}

/** One thing to look at. It changes nothing. */
export interface Check {
  /** For people: a word or two. */
  readonly name: string
  /** Whether it reads our own tables, of this release. */
  readonly needsOwnTables: boolean
  /** What to say when nothing is found. */
  readonly allIsWell: string
  readonly run: (context: CheckContext) => Promise<Finding[]>
}

/** The tables that sync, by the name that was declared. */
export function declaredTables(profiles: readonly Profile[]): string[] {
  return profiles.flatMap(({ models }) => Object.values(models).map(({ table }) => table))
}

/** `1 record`, `3 records` */
export function counted(n: number, one: string, many: string = `${one}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`
}

import type { Clock } from '../core/ports.ts'
import { createSigner } from '../crypto/webcrypto-signer.ts'
import type { Profile } from '../models/profile.ts'
import type { Database } from '../storage/dialect.ts'
import type { Finding, Severity } from '../storage/finding.ts'
import { SCHEMA_VERSION, schemaVersion } from '../storage/migrations.ts'
import { VERSION } from '../version.ts'
import { certificates } from './certificates.ts'
import { changes } from './changes.ts'
import type { Check, CheckContext } from './check.ts'
import { clock } from './clock.ts'
import { database as databaseCheck } from './database.ts'
import { instance } from './instance.ts'
import { sessions } from './sessions.ts'
import { tracking } from './tracking.ts'
import { versions } from './versions.ts'

const CHECKS: readonly Check[] = [
  versions,
  databaseCheck,
  tracking,
  instance,
  certificates,
  changes,
  sessions,
  clock,
]

/** What a {@link Diagnosis} has of one check. */
export interface CheckedPart {
  readonly name: string
  /** That of the worst finding. */
  readonly severity: Severity
  /** At least one; a single `ok` when nothing was found. */
  readonly findings: readonly Finding[]
}

/** How a database is. */
export interface Diagnosis {
  /** That of the worst finding. */
  readonly severity: Severity
  readonly database: string
  readonly versions: { readonly morango: string; readonly node: string; readonly tables: number | undefined }
  readonly checks: readonly CheckedPart[]
}

/** What to look at. */
export interface DiagnoseOptions {
  readonly database: Database
  readonly profiles: readonly Profile[]
  readonly clock?: Clock | undefined
}

/**
 * Looks through everything that can keep a database from syncing, also where `createMorango` refuses to start. Changes
 * nothing. A check that fails is a finding itself.
 *
 * @example
 * const { severity, checks } = await diagnose({ database: sqlite('field.db'), profiles: [gazetteer] })
 */
export async function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  const { database, profiles } = options
  const context: CheckContext = {
    database,
    profiles,
    clock: options.clock ?? { now: () => new Date() },
    signer: createSigner(),
  }
  const tables = await ownTables(database)
  const checks: CheckedPart[] = []
  for (const check of CHECKS) {
    if (check.needsOwnTables && tables !== SCHEMA_VERSION) continue
    const findings = await findingsOf(check, context)
    checks.push({ name: check.name, severity: worst(findings), findings })
  }
  return {
    severity: worst(checks),
    database: database.description,
    versions: { morango: VERSION, node: database.machine.about['sysversion'] ?? '', tables },
    checks,
  }
}

/** The worst of several severities. */
export function worst(findings: readonly { readonly severity: Severity }[]): Severity {
  const order: readonly Severity[] = ['error', 'warning', 'note']
  return order.find((severity) => findings.some((finding) => finding.severity === severity)) ?? 'ok'
}

async function findingsOf(check: Check, context: CheckContext): Promise<readonly Finding[]> {
  try {
    const findings = await check.run(context)
    if (findings.length > 0) return findings
    return [{ code: check.name, severity: 'ok', sentence: check.allIsWell, mend: undefined }]
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [
      {
        code: 'check-failed',
        severity: 'error',
        sentence: `This could not be checked: ${reason.replace(/\.$/u, '')}.`,
        mend: 'If the database itself cannot be read, mend that first.',
      },
    ]
  }
}

/** The version of our tables; undefined where there are none, or they cannot be read. */
async function ownTables({ kysely, dialect }: Database): Promise<number | undefined> {
  try {
    if ((await dialect.readTable(kysely, 'morango_meta')) === undefined) return undefined
    return await schemaVersion(kysely)
  } catch {
    // The checks that need no tables of ours will tell why.
    return undefined
  }
}

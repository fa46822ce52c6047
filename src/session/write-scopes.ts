import type { Kysely } from 'kysely'
import type { Certificate } from '../core/certificate.ts'
import { isMorangoError } from '../core/errors.ts'
import type { Filter } from '../core/filter.ts'
import { scopeOf } from '../core/scope.ts'
import type { Profile } from '../models/profile.ts'
import { findScopeIn } from '../models/scope-lookup.ts'
import { getCertificate, heldCertificates } from '../storage/certificates.ts'
import type { Schema } from '../storage/schema.ts'

/** Which partitions certificates let their holders write, for the engine, which knows nothing of certificates. */
export interface WriteScopes {
  /** Undefined when the certificate, or its scope definition, is not known here. */
  readonly writeScope: (db: Kysely<Schema>, certificateId: string) => Promise<Filter | undefined>
  /** What this device may write: by all the certificates whose private keys are here. */
  readonly ownWriteScope: (db: Kysely<Schema>, profile: string) => Promise<Filter>
}

/** Makes them for the scope definitions of some profiles. */
export function createWriteScopes(profiles: readonly Profile[]): WriteScopes {
  const find = findScopeIn(profiles)
  const writeOf = (certificate: Certificate): Filter | undefined => {
    const definition = find(certificate.scopeDefinitionId, certificate.profile)
    if (definition === undefined) return undefined
    try {
      return scopeOf(definition, certificate.scopeParams).write
    } catch (error) {
      if (isMorangoError(error)) return undefined
      throw error
    }
  }
  return {
    async writeScope(db, certificateId) {
      const certificate = await getCertificate(db, certificateId)
      return certificate === undefined ? undefined : writeOf(certificate)
    },
    async ownWriteScope(db, profile) {
      const held = await heldCertificates(db, profile)
      return held.flatMap(({ certificate }) => writeOf(certificate) ?? [])
    },
  }
}

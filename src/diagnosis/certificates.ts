import type { Certificate } from '../core/certificate.ts'
import { describeOpenScope, openScopes } from '../models/open-scopes.ts'
import { findScopeIn, type FindScope } from '../models/scope-lookup.ts'
import { problemOf } from '../session/certificates.ts'
import { certificateChain, type HeldCertificate, heldCertificates } from '../storage/certificates.ts'
import type { Finding } from '../storage/finding.ts'
import { compileProfiles } from '../storage/check-tracking.ts'
import type { Check, CheckContext } from './check.ts'

const PROBE = 'morango doctor'
const GET_ANOTHER =
  'Get another one (`morango cert request`); if this is the only root, restore the database from a backup.'

/** Whether this device can show who it is. */
export const certificates: Check = {
  name: 'certificates',
  needsOwnTables: true,
  allIsWell: 'Every certificate has its key, its chain and its scope.',
  run: findings,
}

async function findings(context: CheckContext): Promise<Finding[]> {
  return [...(await heldFindings(context)), ...(await openScopeFindings(context))]
}

async function openScopeFindings({ database, profiles }: CheckContext): Promise<Finding[]> {
  const compiled = await compileProfiles(database, profiles).catch(() => undefined)
  // What keeps the profiles from being compiled is another check's.
  if (compiled === undefined) return []
  return profiles
    .flatMap((profile) => openScopes(profile, compiled.get(profile.name)?.models ?? []))
    .map((open) => {
      const { what, mend } = describeOpenScope(open)
      return { code: 'open-scope', severity: 'warning', sentence: what, mend }
    })
}

async function heldFindings(context: CheckContext): Promise<Finding[]> {
  const held = await heldCertificates(context.database.kysely)
  if (held.length === 0) {
    return [
      {
        code: 'no-certificate',
        severity: 'warning',
        sentence: 'This device has no certificate, so it cannot sync yet.',
        mend: 'On the first device run `morango cert create-root`, on others `morango cert request`.',
      },
    ]
  }
  const findScope = findScopeIn(context.profiles)
  const scopeIds = context.profiles.flatMap(({ scopes }) => Object.keys(scopes))
  const found: Finding[] = []
  for (const one of held) {
    const finding =
      profileFinding(context, one.certificate) ??
      scopeFinding(findScope, scopeIds, one.certificate) ??
      (await chainFinding(context, findScope, one.certificate)) ??
      (await keyFinding(context, one))
    if (finding !== undefined) found.push(finding)
  }
  return found
}

function profileFinding({ profiles }: CheckContext, { id, profile }: Certificate): Finding | undefined {
  if (profiles.some(({ name }) => name === profile)) return undefined
  return {
    code: 'certificate-profile-unknown',
    severity: 'warning',
    sentence: `The certificate ${id} is of the profile "${profile}", which is not in the configuration.`,
    mend: 'Put the profile back, or mind its name: it may not change once there are certificates.',
  }
}

function scopeFinding(
  findScope: FindScope,
  scopeIds: readonly string[],
  { id, profile, scopeDefinitionId, scopeVersion }: Certificate,
): Finding | undefined {
  const definition = findScope(scopeDefinitionId, profile)
  if (definition === undefined) {
    return {
      code: 'scope-unknown',
      severity: 'error',
      sentence: `The scope "${scopeDefinitionId}" of the certificate ${id} is not in the configuration.`,
      mend: `Put it back, or install the release of the application that has it. It can be one of: ${scopeIds.join(', ')}.`,
    }
  }
  if (definition.version === scopeVersion) return undefined
  return {
    code: 'scope-version',
    severity: 'note',
    sentence: `The certificate ${id} was made for version ${scopeVersion} of the scope "${scopeDefinitionId}"; the configuration has ${definition.version}.`,
    mend: 'What counts is the definition that each peer has now: keep it the same on all of them.',
  }
}

async function chainFinding(
  { database, signer }: CheckContext,
  findScope: FindScope,
  certificate: Certificate,
): Promise<Finding | undefined> {
  const { id } = certificate
  const broken = (reason: string): Finding => ({
    code: 'certificate-chain-broken',
    severity: 'error',
    sentence: `No peer will take the certificate ${id}: ${reason.replace(/\.$/u, '')}.`,
    mend: GET_ANOTHER,
  })
  const chain = await certificateChain(database.kysely, id)
  if (chain.length === 0) return broken('a certificate above it is missing')
  const deps = {
    db: database.kysely,
    signer,
    scopeDefinition: findScope,
  }
  let parent: Certificate | undefined
  for (const link of chain) {
    const problem = await problemOf(deps, link, parent)
    if (problem !== undefined) return broken(problem.message)
    parent = link
  }
  return undefined
}

async function keyFinding(
  { signer }: CheckContext,
  { certificate, privateKeyPem }: HeldCertificate,
): Promise<Finding | undefined> {
  let reason = 'its private key is another one'
  try {
    const signature = await signer.sign(privateKeyPem, PROBE)
    if (await signer.verify(certificate.publicKey, PROBE, signature)) return undefined
  } catch (error) {
    reason = `its private key cannot be read (${error instanceof Error ? error.message : String(error)})`
  }
  return {
    code: 'certificate-key-unusable',
    severity: 'error',
    sentence: `The certificate ${certificate.id} cannot be used: ${reason}.`,
    mend: GET_ANOTHER,
  }
}

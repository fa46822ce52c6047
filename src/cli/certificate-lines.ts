import type { CertificateSummary, KnownCertificate } from '../certificates.ts'
import { localTime, oneLine } from './format.ts'

/** A certificate in a few lines, its id alone on the first for copying. */
export function certificateLines({ id, parentId, profile, scope, params }: CertificateSummary): string[] {
  return [
    id,
    `  scope   ${oneLine(scope)}, of the profile ${oneLine(profile)}`,
    `  params  ${oneLine(paramsText(params))}`,
    `  parent  ${parentId ?? 'none: it is a root certificate'}`,
  ]
}

/** {@link certificateLines} with who has the key, and when a peer came with it last. */
export function knownCertificateLines(certificate: KnownCertificate): string[] {
  const { held, lastUsed } = certificate
  const lines = [...certificateLines(certificate), `  key     ${held ? 'on this device' : 'elsewhere'}`]
  if (lastUsed === undefined) return lines
  const { at, address, hostname } = lastUsed
  const who = [hostname, address].map(oneLine).filter((text) => text !== '')
  return [...lines, `  used    ${[localTime(at), ...who].join(', ')}`]
}

function paramsText(json: string): string {
  let params: unknown
  try {
    params = JSON.parse(json)
  } catch {
    return json
  }
  if (typeof params !== 'object' || params === null) return json
  return Object.entries(params)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
}

import type { CertificateSummary } from '../certificates.ts'
import { oneLine } from './format.ts'

/** A certificate in a few lines, its id alone on the first for copying. */
export function certificateLines({ id, parentId, profile, scope, params }: CertificateSummary): string[] {
  return [
    id,
    `  scope   ${oneLine(scope)}, of the profile ${oneLine(profile)}`,
    `  params  ${oneLine(paramsText(params))}`,
    `  parent  ${parentId ?? 'none: it is a root certificate'}`,
  ]
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

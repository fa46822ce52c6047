import type { TaughtClaim } from '../storage/taught-claims.ts'
import { counted, oneLine, wrap } from './format.ts'

/** Claims by partition and instance, each with its teachers. */
export function claimLines(claims: readonly TaughtClaim[], limit: number, width: number): string[] {
  if (claims.length === 0) return ['No claims.']
  const lines: string[] = []
  let before: TaughtClaim | undefined
  for (const claim of claims) {
    const { partition, instance, counter, certificate, effective } = claim
    if (before?.partition !== partition) {
      if (before !== undefined) lines.push('')
      lines.push(partition === '' ? '(everything)' : oneLine(partition))
    }
    const teacher = certificate === undefined ? 'known here' : `taught by ${oneLine(certificate)}`
    const counts = effective ? '' : '  (another teacher has taught more)'
    lines.push(`  ${oneLine(instance)}  up to ${counter}`, `    ${teacher}${counts}`)
    before = claim
  }
  if (claims.length >= limit) lines.push('', `The first ${counted(limit, 'claim')}; see --limit.`)
  const hint = 'A teacher that claims more than it sends: morango claims forget CERTIFICATE'
  return [...lines, '', ...wrap(hint, width - 1)]
}

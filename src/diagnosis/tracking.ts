import { checkTracking } from '../storage/check-tracking.ts'
import type { Finding } from '../storage/finding.ts'
import type { Check, CheckContext } from './check.ts'

/** Whether the tables are as declared, and changes of them are seen. */
export const tracking: Check = {
  name: 'tracking',
  needsOwnTables: false,
  allIsWell: 'The tables are as declared, and changes of them are seen.',
  run: findings,
}

async function findings({ database, profiles }: CheckContext): Promise<Finding[]> {
  const found = await checkTracking(database, profiles)
  return found.map(({ code, message, hint }) => ({ code, severity: 'error', sentence: message, mend: hint }))
}

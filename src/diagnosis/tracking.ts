import { isMorangoError } from '../core/errors.ts'
import type { Finding } from '../storage/finding.ts'
import { compileProfiles } from '../storage/prepare.ts'
import type { Check, CheckContext } from './check.ts'

/** Whether the tables are as declared, and changes of them are seen. */
export const tracking: Check = {
  name: 'tracking',
  needsOwnTables: false,
  allIsWell: 'The tables are as declared, and changes of them are seen.',
  run: findings,
}

async function findings({ database, profiles }: CheckContext): Promise<Finding[]> {
  try {
    await compileProfiles(database, profiles)
    return []
  } catch (error) {
    if (!isMorangoError(error, 'not-migrated') && !isMorangoError(error, 'invalid-declaration')) throw error
    const { code, message, hint } = error
    return [{ code, severity: 'error', sentence: message, mend: hint }]
  }
}

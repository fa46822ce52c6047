import type { Check } from './check.ts'

const LOWEST = [22, 18] as const

/** Whether Node is new enough. */
export const versions: Check = {
  name: 'versions',
  needsOwnTables: false,
  allIsWell: 'Node is new enough.',
  run: async ({ database }) => {
    const text = database.machine.about['sysversion'] ?? ''
    const [, major, minor] = /^v(\d+)\.(\d+)\./u.exec(text) ?? []
    if (major === undefined) return []
    const [least, leastMinor] = LOWEST
    if (Number(major) > least || (Number(major) === least && Number(minor) >= leastMinor)) return []
    return [
      {
        code: 'node-old',
        severity: 'error',
        sentence: `This is Node ${text}; ${LOWEST.join('.')} is needed, or later.`,
        mend: 'Install a later Node.',
      },
    ]
  },
}

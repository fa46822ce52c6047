import type { Reporter, TestModule } from 'vitest/node'

declare module 'vitest' {
  interface TaskMeta {
    /** How often who called whom: `ours to python`. */
    pairings?: Record<string, number>
    /** Whether the test is a history that was played twice. */
    isHistory?: boolean
  }
}

/** Notes syncs for the count at the end. */
export function countPairings(
  task: { readonly meta: { pairings?: Record<string, number> } },
  pairings: readonly string[],
): void {
  const counts = (task.meta.pairings ??= {})
  for (const pairing of pairings) counts[pairing] = (counts[pairing] ?? 0) + 1
}

/** Says at the end how many pairings and histories were run. */
export function pairingsReporter(): Reporter {
  return {
    onTestRunEnd(modules: readonly TestModule[]) {
      const total: Record<string, number> = {}
      let histories = 0
      let tests = 0
      for (const test of modules.flatMap((module) => [...module.children.allTests('passed')])) {
        const { pairings = {}, isHistory = false } = test.meta()
        tests += 1
        if (isHistory) histories += 1
        for (const [name, count] of Object.entries(pairings)) total[name] = (total[name] ?? 0) + count
      }
      const syncs = Object.entries(total).map(([name, count]) => `${name} ${count}`)
      console.log(`interop: ${tests} tests, ${histories} histories; syncs: ${syncs.join(', ') || 'none'}`)
    },
  }
}

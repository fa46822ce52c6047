import type { Reporter, TestModule } from 'vitest/node'

/** Says at the end how many tests ran on which database. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, Record<'passed' | 'failed' | 'skipped', number>>()
    for (const module of modules) {
      const count = counts.get(module.project.name) ?? { passed: 0, failed: 0, skipped: 0 }
      counts.set(module.project.name, count)
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state !== 'pending') count[state] += 1
      }
    }
    for (const [name, { passed, failed, skipped }] of counts) {
      console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`)
    }
  }
}

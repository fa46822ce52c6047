import { availableParallelism } from 'node:os'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['attacks/**/*.test.ts'],
    reporters: ['default', './test/databases/count-reporter.ts'],
    // A database on the server for the run, and a Python peer: each skips, with a line that says so, where it is missing.
    globalSetup: ['test/databases/setup-server.ts', 'interop/setup.ts'],
    isolate: false,
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
})

export default config

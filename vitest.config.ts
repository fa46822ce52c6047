import { availableParallelism } from 'node:os'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const shared = { isolate: false, testTimeout: 120_000, hookTimeout: 120_000 } as const

const config: ViteUserConfig = defineConfig({
  test: {
    // On two processors Vitest would take one: tests wait for processes and servers that they start.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default', './test/databases/count-reporter.ts'],
    projects: [
      {
        test: {
          ...shared,
          name: 'sqlite',
          include: ['test/**/*.test.ts', 'src/**/*.test.ts'],
          exclude: ['test/postgres/**'],
        },
      },
      // The rest on PGlite, and all on a server: `npm run test:postgres`.
      {
        test: {
          ...shared,
          name: 'pglite',
          include: ['test/postgres/{http,init,kinds,nul,tracking}.test.ts'],
          env: { MORANGO_TEST_DATABASE: 'pglite' },
        },
      },
    ],
  },
})

export default config

import { defineConfig, type ViteUserConfig } from 'vitest/config'

// Making databases takes most of the time.
const shared = {
  include: [
    'test/conformance/*.test.ts',
    'test/golden/histories.test.ts',
    'test/property/*.test.ts',
    'test/postgres/*.test.ts',
    'test/processes/*.test.ts',
  ],
  isolate: false,
  testTimeout: 480_000,
  hookTimeout: 120_000,
}

const config: ViteUserConfig = defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default', './test/databases/count-reporter.ts'],
    projects: [
      {
        test: {
          ...shared,
          name: 'postgres',
          env: { MORANGO_TEST_DATABASE: 'postgres' },
          setupFiles: ['test/databases/skip-without-server.ts'],
          globalSetup: ['test/databases/setup-server.ts'],
        },
      },
      { test: { ...shared, name: 'pglite', env: { MORANGO_TEST_DATABASE: 'pglite' } } },
    ],
  },
})

export default config

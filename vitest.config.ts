import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** Tests that run on each database. */
export const ON_EVERY_DATABASE: readonly string[] = [
  'test/conformance/*.test.ts',
  'test/golden/histories.test.ts',
  'test/property/*.test.ts',
  'test/postgres/*.test.ts',
]

const shared = { isolate: false, testTimeout: 30_000 } as const

const config: ViteUserConfig = defineConfig({
  test: {
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
      {
        test: {
          ...shared,
          name: 'pglite',
          include: ['test/conformance/storage.test.ts', 'test/postgres/*.test.ts'],
          env: { MORANGO_TEST_DATABASE: 'pglite' },
          hookTimeout: 60_000,
        },
      },
    ],
  },
})

export default config

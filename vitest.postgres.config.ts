import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { ON_EVERY_DATABASE } from './vitest.config.ts'

const config: ViteUserConfig = defineConfig({
  test: {
    name: 'postgres',
    include: [...ON_EVERY_DATABASE],
    env: { MORANGO_TEST_DATABASE: 'postgres' },
    reporters: ['default', './test/databases/count-reporter.ts'],
    setupFiles: ['test/databases/skip-without-server.ts'],
    globalSetup: ['test/databases/setup-server.ts'],
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

export default config

import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { pairingsReporter } from './interop/pairings.ts'

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['interop/**/*.test.ts'],
    reporters: ['default', pairingsReporter()],
    globalSetup: ['interop/setup.ts'],
    // One worker, so that Python peers are started once and used again.
    isolate: false,
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

export default config

import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { pairingsReporter } from './interop/pairings.ts'
import { LongestFirst } from './interop/sequencer.ts'

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['interop/**/*.test.ts'],
    reporters: ['default', pairingsReporter()],
    globalSetup: ['interop/setup.ts'],
    // Few workers, so that Python peers are started once and used again.
    isolate: false,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
})

export default config

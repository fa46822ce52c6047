import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['interop/**/*.test.ts'],
    globalSetup: ['interop/setup.ts'],
    // One worker, so that Python peers are started once and used again.
    isolate: false,
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

export default config

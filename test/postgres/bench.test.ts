import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const bench = new URL('../../bench/index.ts', import.meta.url).pathname
const kind = process.env['MORANGO_TEST_DATABASE'] === 'postgres' ? 'postgres' : 'pglite'

it(`npm run bench measures a push from SQLite to ${kind}`, async () => {
  const options = ['--direction', 'push', '--server', kind, '--records', '120', '--plain-copies', '1']
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', bench, ...options])
  expect(stdout).toContain(`120 records, push; client sqlite, server ${kind}`)
  expect(stdout).toMatch(/First sync +\d/)
})

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const bench = new URL('../../bench/index.ts', import.meta.url).pathname
const kind = process.env['MORANGO_TEST_DATABASE'] === 'postgres' ? 'postgres' : 'pglite'

it.each([
  ['pull', 'sqlite', kind],
  ['push', kind, kind],
])(
  'npm run bench measures a %s from a client on %s with a server on %s',
  { timeout: 120_000 },
  async (direction, client, server) => {
    const options = ['--direction', direction, '--client', client, '--server', server]
    const size = ['--records', '120', '--plain-copies', '1']
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--no-warnings',
      bench,
      ...size,
      ...options,
    ])
    expect(stdout).toContain(`120 records, ${direction}; client ${client}, server ${server}`)
    expect(stdout).toMatch(/First sync +\d/)
  },
)

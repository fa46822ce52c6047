import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const DEMO = fileURLToPath(new URL('../../demo/index.ts', import.meta.url))

let directory = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'morango-test-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  readonly output: () => string
}

function runDemo(...args: string[]): Run {
  const child = spawn(process.execPath, [DEMO, ...args], {
    env: { ...process.env, TMPDIR: directory, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more
    })
  }
  // `close`, not `exit`: then nobody holds the pipes any longer, the devices' processes included.
  return {
    child,
    ended: once(child, 'close').then(([code]: (number | null)[]) => code ?? null),
    output: () => text,
  }
}

test('the demo holds what it claims, and leaves nothing behind', { timeout: 120_000 }, async () => {
  const { ended, output } = runDemo('--countries', 'AD,LI')
  const code = await ended
  expect(output()).toMatch(/\nAll 2\d claims hold\. /)
  expect(output()).not.toContain('✗')
  expect(output()).not.toContain('\u{1b}')
  expect(
    output()
      .split('\n')
      .filter((line) => line.length > 80),
  ).toEqual([])
  expect(code).toBe(0)
  expect(await readdir(directory)).toEqual([])
})

test('it can be interrupted, and leaves nothing behind', { timeout: 120_000 }, async () => {
  const { child, ended, output } = runDemo('--countries', 'AD,LI')
  await expect.poll(output, { timeout: 60_000 }).toContain('City gets no certificate')
  child.kill('SIGINT')
  expect(await ended).toBe(130)
  expect(output()).toContain('Stopped.')
  expect(await readdir(directory)).toEqual([])
})

test('an unknown country is said to be one', { timeout: 120_000 }, async () => {
  const { ended, output } = runDemo('--countries', 'AD,XX')
  expect(await ended).toBe(1)
  expect(output()).toContain('GeoNames has no places of a country "XX"')
  expect(await readdir(directory)).toEqual([])
})

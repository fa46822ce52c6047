import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'vitest'
import { fileURLToPath } from 'node:url'

const DEMO = fileURLToPath(new URL('../../demo/index.ts', import.meta.url))

/** The demo, started. */
export interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  readonly output: () => string
}

/** Starts the demo in a process of its own, with `directory` for temporary files. */
export function runDemo(directory: string, ...args: string[]): Run {
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

/** Runs it to its end, and expects that all it claims holds. */
export async function expectStory(directory: string, ...args: string[]): Promise<string> {
  const { ended, output } = runDemo(directory, '--countries', 'AD,LI', ...args)
  const code = await ended
  expect(output()).toMatch(/\nAll 2\d claims hold\. /)
  expect(output()).not.toContain('✗')
  expect(output()).not.toContain('\u{1b}')
  const tooWide = output()
    .split('\n')
    .filter((line) => line.length > 80)
  expect(tooWide).toEqual([])
  expect(code).toBe(0)
  return output()
}

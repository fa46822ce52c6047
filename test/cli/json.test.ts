import { afterAll, expect, test } from 'vitest'
import { allCommands } from '../../src/cli/manual.ts'
import { createProgram } from '../../src/cli/program.ts'
import { createField, run } from './support.ts'

const field = createField()
afterAll(() => field.close())

/** What a command needs besides, so that it gets as far as its work. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  'cert create-root': ['x'],
  'cert request': ['http://127.0.0.1:9/', '--scope', 'x', '--username', 'y'],
  'cert push': ['http://127.0.0.1:9/', '--scope', 'x', '--parent', 'y'],
  'claims forget': ['x'],
  'conflicts dismiss': ['1'],
  'conflicts restore': ['1'],
  'conflicts show': ['1'],
  explain: ['x', 'y'],
  'problems accept': ['x', 'y'],
  'problems show': ['x', 'y'],
  sync: ['http://127.0.0.1:9/', '-f', 'x'],
}
const leaves = allCommands(createProgram())
  .filter(({ command }) => command.commands.length === 0)
  .map(({ path }) => path)
/** Those that work without a configuration, or tell of its lack as their result. */
const WITHOUT_CONFIG = new Set(['completion', 'doctor', 'init'])

test.each(leaves.filter((path) => !WITHOUT_CONFIG.has(path.join(' '))))(
  'a failure as JSON: %s %s',
  { concurrent: true },
  async (...path) => {
    const words = path.filter((word) => word !== undefined)
    const args = [...words, ...(ARGUMENTS[words.join(' ')] ?? []), '--json']
    const { code, stdout, stderr } = await run(field.empty(), args)
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'usage',
        message: expect.stringContaining('morango.config.ts'),
        hint: expect.any(String),
      },
    })
    expect(stderr).toMatch(/^error: /u)
  },
)

test('wrong usage as JSON', async () => {
  const { code, stdout } = await run(field.empty(), ['status', '--json', '--nonsense'])
  expect(code).toBe(2)
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'usage', message: expect.stringContaining('nonsense') },
  })
})

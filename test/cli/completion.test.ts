import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { completionScript, SHELLS } from '../../src/cli/completion/scripts.ts'
import { allCommands } from '../../src/cli/manual.ts'
import { createProgram } from '../../src/cli/program.ts'
import { createField, json, run } from './support.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const field = createField()
afterAll(() => field.close())

test.each(SHELLS)('%s: every command and every option is in the script', (shell) => {
  const script = completionScript(shell, createProgram())
  for (const { path, command } of allCommands(createProgram())) {
    expect(script).toContain(path.at(-1))
    for (const { long, hidden } of command.options) {
      if (hidden) continue
      expect(script).toContain(shell === 'fish' ? `-l ${long?.slice(2)}` : long)
    }
  }
})

const installed = (shell: string): string | undefined =>
  [`/usr/bin/${shell}`, `/bin/${shell}`, `/usr/local/bin/${shell}`].find((path) => existsSync(path))

function scriptFile(shell: 'zsh' | 'fish'): string {
  const file = join(field.empty(), `morango.${shell}`)
  writeFileSync(file, completionScript(shell, createProgram()))
  return file
}

test.skipIf(installed('zsh') === undefined)('zsh reads its script', () => {
  expect(execFileSync('zsh', ['-n', scriptFile('zsh')], { encoding: 'utf8' })).toBe('')
})

test.skipIf(installed('fish') === undefined)('fish completes', () => {
  const complete = (line: string): string[] => {
    const script = `source ${scriptFile('fish')}; complete -C '${line}'`
    const out = execFileSync('fish', ['--no-config', '-c', script], { encoding: 'utf8' })
    return out.split('\n').flatMap((one) => one.split('\t')[0] || [])
  }
  expect(complete('morango st')).toEqual(['status'])
  expect(complete('morango cert cr')).toEqual(['create-root'])
  expect(complete('morango sync x --pu')).toEqual(['--pull', '--push'])
  expect(complete('morango completion f')).toEqual(['fish'])
})

describe('in a real bash', () => {
  const device = field.device('one')
  const bin = field.empty()
  writeFileSync(join(bin, 'morango'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`)
  chmodSync(join(bin, 'morango'), 0o755)

  // As the shell calls the function at the tab key, the last word being typed.
  function complete(...words: string[]): string[] {
    const typed = ['morango', ...words].map((word) => `'${word}'`).join(' ')
    const script =
      `source <(morango completion bash); COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; ` +
      `_morango; printf '%s\\n' "\${COMPREPLY[@]}"`
    const out = execFileSync('bash', ['--norc', '-euc', script], {
      cwd: device,
      encoding: 'utf8',
      env: { PATH: `${bin}:${process.env['PATH']}` },
    })
    return out.split('\n').filter((line) => line !== '')
  }

  test('completes commands, options and values', async () => {
    await run(device, ['migrate'])
    const { id } = Object(await json(device, ['cert', 'create-root', 'full-country']))
    expect(complete('st')).toEqual(['status'])
    expect(complete('cert', '')).toEqual(['create-root', 'list', 'request', 'push'])
    expect(complete('cert', 'create-root', 'full')).toEqual(['full-country'])
    expect(complete('sync', 'http://10.0.0.5/', '--pu')).toEqual(['--pull', '--push'])
    expect(complete('sync', '--certificate', '')).toEqual([id])
    expect(complete('sync', '--profile', 'x', '-f', 'y', '--json', '--ser')).toEqual(['--server-certificate'])
    expect(complete('--config', 'morango.config.ts', 'sync', '--profile', '')).toEqual(['gazetteer'])
    expect(complete('completion', 'f')).toEqual(['fish'])
    expect(complete('status', '')).toEqual([])
  })
})

test('values are listed for programs, too', async () => {
  const device = field.device('two')
  expect(await json(device, ['completion-values', 'models'])).toEqual(['place'])
  expect(await json(device, ['completion-values', 'scopes'])).toEqual([
    'full-country',
    'country-member',
    'place-reader',
  ])
})

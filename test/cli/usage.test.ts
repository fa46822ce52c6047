import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { VERSION } from '../../src/version.ts'
import { createField, run } from './support.ts'

const field = createField()
afterAll(() => field.close())

test.each([
  [[], /Usage: morango/u],
  [['synk'], /unknown command 'synk'\n\(Did you mean sync\?\)/u],
  [['sync', 'http://127.0.0.1/'], /required option '-f, --filter/u],
  [['sync', 'http://127.0.0.1/', '-f', 'x', '--pull', '--push'], /cannot be used with/u],
  [['cert', 'create-root', 'x', '--param', 'y'], /Write it as key=value/u],
  [['serve', '--port', '70000'], /whole number from 0 to 65535/u],
  [['cleanup', '--older-than', 'soon'], /number of hours/u],
  [['status'], /^error: There is no morango\.config\.ts in this directory\.\n {7}/u],
  [['status', '--config', 'nowhere.ts'], /^error: There is no file .*nowhere\.ts/u],
])('wrong usage: %j', { concurrent: true }, async (args, message) => {
  const { code, stdout, stderr } = await run(field.empty(), args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(message)
  expect(stderr).not.toMatch(/^\s+at /mu)
})

test('help and version', async () => {
  const [help, sync, version] = await Promise.all([
    run(field.empty(), ['--help']),
    run(field.empty(), ['help', 'sync']),
    run(field.empty(), ['--version']),
  ])
  expect(version).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' })
  for (const { code, stdout, stderr } of [help, sync]) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(stdout).toContain('  $ morango sync')
  }
})

test('a configuration that cannot be used', async () => {
  const directory = field.empty()
  const broken = join(directory, 'broken.ts')
  const empty = join(directory, 'empty.mjs')
  writeFileSync(broken, 'throw new Error("not today")\n')
  writeFileSync(empty, 'export default { profiles: [] }\n')
  const [first, second, verbose] = await Promise.all([
    run(directory, ['status', '-c', broken]),
    run(directory, ['status', '--config', empty]),
    run(directory, ['status', '-c', broken, '--verbose']),
  ])
  expect(first).toMatchObject({ code: 2, stdout: '' })
  expect(first.stderr).toMatch(/^error: .*broken\.ts cannot be loaded: not today\.\n {7}.*--verbose.*\n$/u)
  expect(second.code).toBe(2)
  expect(second.stderr).toContain('export default defineConfig(')
  expect(verbose.stderr).toMatch(/^\s+at .*broken\.ts/mu)
})

test('a database that was not migrated', async () => {
  const device = field.device('fresh')
  const { code, stdout, stderr } = await run(device, ['status', '--json'])
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'not-migrated' } })
  expect(stderr).toMatch(/^error: The database is not ready to sync.*\n {7}Run `morango migrate`\.\n$/u)
})

test('names that the configuration does not know', async () => {
  const device = field.device('known')
  await run(device, ['migrate'])
  const [scope, profile, url] = await Promise.all([
    run(device, ['cert', 'create-root', 'nope']),
    run(device, ['sync', 'http://127.0.0.1/', '-f', 'x', '--profile', 'nope']),
    run(device, ['sync', 'nowhere', '-f', 'x']),
  ])
  expect(scope).toMatchObject({ code: 2, stdout: '' })
  expect(scope.stderr).toContain('Use one of: full-country, country-member, place-reader.')
  expect(profile).toMatchObject({ code: 2, stdout: '' })
  expect(profile.stderr).toContain('Use one of: gazetteer.')
  expect(url).toMatchObject({ code: 2, stdout: '' })
})

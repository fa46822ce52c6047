import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }

const SOURCE = new URL('../src/', import.meta.url)
// At the left margin: done when the module is imported.
const REGISTERS = /^use[A-Z]\w*\(/m

test('bundlers are told of every module that does something when it is imported', async () => {
  const files = (await readdir(SOURCE, { recursive: true })).filter((name) => name.endsWith('.ts'))
  const registering: string[] = []
  for (const file of files) {
    const text = await readFile(new URL(file, SOURCE), 'utf8')
    if (REGISTERS.test(text)) registering.push(`./dist/${file.replace(/\.ts$/, '.js')}`)
  }
  expect(manifest.sideEffects.toSorted()).toEqual(registering.toSorted())
})

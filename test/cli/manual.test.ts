import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { allCommands } from '../../src/cli/manual.ts'
import { createProgram } from '../../src/cli/program.ts'
import { helpText, referenceText } from '../../src/cli/reference.ts'

const commands = allCommands(createProgram()).map(({ path, command }): [string, Command] => [
  path.join(' '),
  command,
])
const leaves = commands.filter(([, command]) => command.commands.length === 0)

describe.each(commands)('%s', (_name, command) => {
  test('has a help that fits 80 columns', () => {
    expect(
      helpText(command)
        .split('\n')
        .filter((line) => line.length > 80),
    ).toEqual([])
    expect(command.summary()).not.toBe('')
    expect(command.options.filter(({ description }) => description === '')).toEqual([])
  })
})

test.each(leaves)('%s: what it does, options, examples, exit codes', (name, command) => {
  const text = helpText(command)
  expect(text).toMatch(/^Usage: morango /u)
  expect(text.replaceAll(/\s+/gu, ' ')).toContain(command.description())
  expect(text).toMatch(/^Examples?:\n {2}\$ /mu)
  expect(text).toContain(`morango ${name}`)
  expect(text).toMatch(/^Exit codes:\n {2}0 /mu)
  expect(text).toMatch(/^ {2}--json /mu)
})

test('the reference in docs is that of the program', async () => {
  const page = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8')
  // If not: npm run docs:cli
  expect(page).toBe(referenceText(createProgram()))
})

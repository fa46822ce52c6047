import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { migrateOwnTables } from '../../src/storage/migrations.ts'
import { sqlite } from '../../src/sqlite.ts'

let directory = ''
let file = ''
const umask = process.platform === 'win32' ? 0 : process.umask()

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'morango-modes-'))
  file = join(directory, "Ana's field.db")
})
afterEach(() => rmSync(directory, { recursive: true }))

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

describe.skipIf(process.platform === 'win32')('who may read a database', () => {
  test.each([
    ['a path', (path: string) => path],
    ['a URI', (path: string) => pathToFileURL(path).href],
    ['a URI with parameters', (path: string) => `${pathToFileURL(path).href}?mode=rwc`],
  ])('a file that is made by %s is its owner’s alone, and so are the files beside it', async (_, locate) => {
    expect(umask & 0o077).not.toBe(0o077)
    const database = sqlite(locate(file))
    try {
      await migrateOwnTables(database)
      expect([file, `${file}-wal`, `${file}-shm`].map(modeOf)).toEqual(['600', '600', '600'])
    } finally {
      await database.close()
    }
  })

  test('a file that exists keeps its mode, and is warned about once there are keys in it', async () => {
    writeFileSync(file, '')
    chmodSync(file, 0o644)
    const database = sqlite(file)
    try {
      await migrateOwnTables(database)
      const found = async (): Promise<unknown[]> =>
        (await database.dialect.health(database.kysely, [])).filter(({ code }) => code === 'file-readable')
      expect(modeOf(file)).toBe('644')
      expect(await found()).toEqual([])
      await database.kysely
        .insertInto('morango_shared_key')
        .values({ id: 1, private_key: 'secret', public_key: 'known' })
        .execute()
      const quoted = file.replaceAll("'", String.raw`'\''`)
      expect(await found()).toMatchObject([
        {
          severity: 'warning',
          sentence: expect.stringMatching(/^Every user/u),
          mend: expect.stringContaining(`chmod go-rwx '${quoted}' '${quoted}-wal' '${quoted}-shm'`),
        },
      ])
      for (const path of [file, `${file}-wal`, `${file}-shm`]) chmodSync(path, 0o640)
      expect(await found()).toMatchObject([{ sentence: expect.stringMatching(/^The group/u) }])
      for (const path of [file, `${file}-wal`, `${file}-shm`]) chmodSync(path, 0o600)
      expect(await found()).toEqual([])
    } finally {
      await database.close()
    }
  })

  test.each([':memory:', 'file::memory:', 'file:none?mode=memory'])('%s makes no file', async (location) => {
    const before = process.cwd()
    process.chdir(directory)
    try {
      const database = sqlite(location)
      await migrateOwnTables(database)
      await database.close()
      expect(() => statSync(join(directory, ':memory:'))).toThrow('ENOENT')
      expect(() => statSync(join(directory, 'none'))).toThrow('ENOENT')
    } finally {
      process.chdir(before)
    }
  })
})

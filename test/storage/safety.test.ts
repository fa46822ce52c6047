import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sql, type SqliteDatabase } from 'kysely'
import { afterAll, describe, expect, it } from 'vitest'
import { nodeSqliteDriver } from '../../src/storage/sqlite/node-sqlite.ts'
import { requireTrueSums } from '../../src/testing/sums.ts'
import { certified, insert, notes, openDevice, wayTo } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'morango-safety-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('who a record is', () => {
  it('keeps a certificate for one partition away from a record of another that it knows the id of', async () => {
    const [client, server] = [await openDevice(), await openDevice()]
    const root = await certified(client, server, 'part')
    const theirs = server.morango.record('person', { root, owner: 'u2', note: 'not yours' })
    await insert(server, 'person', theirs)
    await server.morango.serialize()
    await insert(client, 'person', { id: theirs.id, root, owner: 'u1', note: 'mine now' })

    const way = wayTo(client, server)
    // The record alone waits, beside the Store: its chunk may hold what others need.
    await client.morango.sync(way, { filter: `${root}:u1`, direction: 'push' })
    expect(await server.morango.problems()).toMatchObject([{ id: theirs.id, code: 'id-taken' }])

    expect(await notes(server, 'person')).toEqual(['not yours'])
    const stored = await sql<{ text: string }>`select serialized || conflicting_serialized_data as text
      from morango_store`.execute(server.database.kysely)
    expect(stored.rows.map(({ text }) => text).join()).not.toContain('mine now')
    const left = await sql`select * from morango_incoming`.execute(server.database.kysely)
    expect(left.rows).toEqual([])
  })
})

/** A file whose commits are not waited for, and the statements that were run on it. */
function unwaited(path: string): { readonly driver: SqliteDatabase; readonly log: string[] } {
  const connection = new DatabaseSync(path)
  connection.exec('pragma journal_mode = wal; pragma synchronous = normal')
  const inner = nodeSqliteDriver(connection)
  const log: string[] = []
  return {
    log,
    driver: {
      close: () => inner.close(),
      prepare: (text) => {
        log.push(text)
        return inner.prepare(text)
      },
    },
  }
}

describe('a loss of power', () => {
  it('takes back no stamp that a peer has seen: what is queued is on the disk before it is sent', async () => {
    const { driver, log } = unwaited(join(folder, 'unwaited.db'))
    const [client, server] = [await openDevice(driver), await openDevice()]
    const root = await certified(client, server, 'all')
    await insert(client, 'visit', client.morango.record('visit', { root, owner: 'u1', note: 'a' }))
    const way = wayTo(client, server)
    const sync = async (): Promise<string[]> => {
      log.length = 0
      let sent: string[] = []
      const peer = {
        ...way,
        sendBuffers: async (...chunk: Parameters<typeof way.sendBuffers>) => {
          sent = [...log]
          await way.sendBuffers(...chunk)
        },
      }
      await client.morango.sync(peer, { filter: root, direction: 'push' })
      return sent
    }

    const before = await sync()
    const at = before.indexOf('pragma synchronous = full')
    expect(before.findIndex((text) => text.startsWith('insert into morango_outgoing'))).toBeLessThan(at)
    expect(before.slice(at + 1, at + 3)).toEqual([
      expect.stringMatching(/^update morango_control/),
      'pragma synchronous = 1',
    ])
    // Nothing to send, nothing to wait for.
    await sync()
    expect(log).not.toContain('pragma synchronous = full')
    driver.close()
  })
})

describe('a full disk', () => {
  it('is told, loses nothing, and once there is room the sync goes on', async () => {
    const [client, server] = [await openDevice(), await openDevice()]
    const root = await certified(client, server, 'all')
    const sync = async (): Promise<unknown> =>
      await client.morango.sync(wayTo(client, server), { filter: root, direction: 'pull' })
    await insert(client, 'visit', client.morango.record('visit', { root, owner: 'u1', note: 'first' }))
    await client.morango.serialize()
    const wanted = ['first']
    for (let number = 0; number < 60; number++) {
      const note = `${number} ${'x'.repeat(3000)}`
      wanted.push(note)
      // oxlint-disable-next-line no-await-in-loop
      await insert(server, 'visit', server.morango.record('visit', { root, owner: 'u1', note }))
    }
    const db = client.database.kysely
    const pages = await sql<{ page_count: number }>`pragma page_count`.execute(db)
    const now = pages.rows[0]?.page_count ?? 0

    // Every few pages another statement is the one that finds no room.
    let failed = 0
    for (let room = 1; failed === 0 || (await notes(client, 'visit')).length === 1; room += 7) {
      // oxlint-disable-next-line no-await-in-loop
      await sql`pragma max_page_count = ${sql.lit(now + room)}`.execute(db)
      // oxlint-disable-next-line no-await-in-loop
      const error: unknown = await sync().then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (error === undefined) continue
      expect(error).toMatchObject({ code: 'disk-full', hint: expect.stringContaining('nothing is lost') })
      failed++
    }
    expect(failed).toBeGreaterThan(5)
    expect(await notes(client, 'visit')).toEqual(wanted.toSorted())
    expect(await client.morango.problems()).toEqual([])
    await client.morango.close()
  })
})

/** A database whose statements that `at` begins find the disk full once, after which SQLite has rolled back by itself. */
function filling(path: string): {
  readonly driver: SqliteDatabase
  readonly next: { at?: string | undefined }
} {
  const inner = nodeSqliteDriver(new DatabaseSync(path))
  const next: { at?: string | undefined } = {}
  const fail = (text: string): void => {
    if (next.at === undefined || !text.startsWith(next.at)) return
    next.at = undefined
    inner.prepare('rollback').run([])
    throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
  }
  return {
    next,
    driver: {
      close: () => inner.close(),
      prepare: (text) => {
        const statement = inner.prepare(text)
        return {
          reader: statement.reader,
          iterate: (parameters) => statement.iterate(parameters),
          all: (parameters) => {
            fail(text)
            return statement.all(parameters)
          },
          run: (parameters) => {
            fail(text)
            return statement.run(parameters)
          },
        }
      },
    },
  }
}

it.each(['insert into "morango_incoming"', 'insert into morango_store', 'insert into "visit"', 'commit'])(
  'a disk that is full at `%s`, where the database has rolled back already, is told as such',
  async (at) => {
    const { driver, next } = filling(join(folder, `filling-${at.length}.db`))
    const [client, server] = [await openDevice(driver), await openDevice()]
    const root = await certified(client, server, 'all')
    await insert(server, 'visit', server.morango.record('visit', { root, owner: 'u1', note: 'sent' }))
    const sync = async (): Promise<unknown> =>
      await client.morango.sync(wayTo(client, server), { filter: root, direction: 'pull' })
    next.at = at
    await expect(sync()).rejects.toMatchObject({ code: 'disk-full' })
    await sync()
    expect(await notes(client, 'visit')).toEqual(['sent'])
    await client.morango.close()
  },
)

describe('which copy of the database this is', () => {
  it('takes a new instance when the file was copied, and keeps it when it was not', async () => {
    const path = join(folder, 'first.db')
    const first = await openDevice(path)
    const { instance } = await first.morango.status()
    await first.morango.close()
    const again = await openDevice(path)
    expect((await again.morango.status()).instance.id).toBe(instance.id)
    await again.morango.close()
    copyFileSync(path, join(folder, 'second.db'))
    const copy = await openDevice(join(folder, 'second.db'))
    expect((await copy.morango.status()).instance.id).not.toBe(instance.id)
    await copy.morango.close()
  })

  it.each([
    ['when a peer has seen more of it', 2],
    // As many counters are given again as were lost: no peer can tell.
    ['when it is told so', 'renewed'],
  ] as const)(
    'goes on as a new instance after a backup was restored, %s, and loses nothing',
    async (_, how) => {
      const path = join(folder, `field-${how}.db`)
      const server = await openDevice()
      let field = await openDevice(path)
      const root = await certified(field, server, 'all')
      const sync = (): Promise<unknown> => field.morango.sync(wayTo(field, server), { filter: root })
      const write = (note: string): Promise<void> =>
        insert(field, 'visit', field.morango.record('visit', { root, owner: 'u1', note }))

      await write('before the backup')
      await sync()
      await field.morango.close()
      copyFileSync(path, join(folder, 'backup.db'))

      field = await openDevice(path)
      await write('lost with the disk')
      await sync()
      if (how === 2) {
        await write('lost with the disk, too')
        await sync()
      }
      await field.morango.close()
      copyFileSync(join(folder, 'backup.db'), path)

      field = await openDevice(path)
      const { instance } = await field.morango.status()
      if (how === 'renewed') {
        const { id } = await field.morango.renewInstance()
        expect((await field.morango.status()).instance).toMatchObject({ id })
      }
      await write('after the restore')
      if (how === 'renewed') await field.morango.serialize()
      await sync()
      await sync()
      expect(field.warnings).toEqual(how === 'renewed' ? [] : ['instance-renewed'])
      expect((await field.morango.status()).instance.id).not.toBe(instance.id)
      const lost = how === 2 ? ['lost with the disk', 'lost with the disk, too'] : ['lost with the disk']
      const all = ['after the restore', 'before the backup', ...lost]
      expect(await notes(field, 'visit')).toEqual(all)
      expect(await notes(server, 'visit')).toEqual(all)
      expect(await sync()).toMatchObject({ pulled: 0, pushed: 0 })
      await requireTrueSums(field, 'after the restore')
      await field.morango.close()
    },
  )

  it('takes over what the instance has synced after the backup as later, not as a conflict, when it was renewed', async () => {
    const path = join(folder, 'field-later.db')
    const server = await openDevice()
    let field = await openDevice(path)
    const root = await certified(field, server, 'all')
    const sync = async (): Promise<unknown> =>
      await field.morango.sync(wayTo(field, server), { filter: root })
    const visit = field.morango.record('visit', { root, owner: 'u1', note: 'first' })
    const note = async (text: string): Promise<void> => {
      await sql`update visit set note = ${text} where id = ${visit.id}`.execute(field.database.kysely)
      await field.morango.serialize()
    }
    await insert(field, 'visit', visit)
    await sync()
    await note('in the backup')
    await field.morango.close()
    copyFileSync(path, join(folder, 'backup-later.db'))
    field = await openDevice(path)
    await note('after it')
    await sync()
    await field.morango.close()
    copyFileSync(join(folder, 'backup-later.db'), path)

    field = await openDevice(path)
    await field.morango.renewInstance()
    expect(await sync()).toMatchObject({ pulled: 1, pushed: 0, conflicts: 0 })
    expect(await notes(field, 'visit')).toEqual(['after it'])
    expect(await notes(server, 'visit')).toEqual(['after it'])
    await field.morango.close()
  })
})

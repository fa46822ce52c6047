import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { certified, type Device, insert, notes, openDevice, wayTo } from './support.ts'

const OWNER = 'u1'

async function pull(client: Device, server: Device, root: string): Promise<void> {
  await client.morango.sync(wayTo(client, server), { filter: root, direction: 'pull' })
}

/** A server with so many rows, and a client whose schema has more. */
async function two(
  count: number,
  more: readonly string[],
): Promise<{ client: Device; server: Device; root: string; ids: string[] }> {
  const [client, server] = [await openDevice(':memory:', more), await openDevice()]
  const root = await certified(client, server, 'all')
  const ids: string[] = []
  for (let no = 0; no < count; no++) {
    const row = server.morango.record('person', { root, owner: OWNER, note: `n${no}` })
    await insert(server, 'person', row)
    ids.push(row.id)
  }
  return { client, server, root, ids }
}

async function problemsOf({ morango }: Device): Promise<string[]> {
  return (await morango.problems()).map(({ code, message }) => `${code}: ${message}`)
}

it('leaves out the row whose trigger fails, and not what the trigger would have written', async () => {
  const { client, server, root } = await two(5, [
    'create table audit (note text not null unique)',
    'create trigger person_audit after insert on person begin insert into audit (note) values (new.note); end',
    "insert into audit (note) values ('n2')",
  ])
  await pull(client, server, root)
  expect(await notes(client, 'person')).toEqual(['n0', 'n1', 'n3', 'n4'])
  expect(await problemsOf(client)).toEqual([expect.stringMatching(/^unique: .*audit\.note/)])
})

it('writes all but the bad ones where rows that are there change together with new ones', async () => {
  const { client, server, root, ids } = await two(250, ['create unique index person_note on person (note)'])
  await pull(client, server, root)
  await insert(client, 'person', client.morango.record('person', { root, owner: OWNER, note: 'taken' }))
  for (const [no, note] of [
    [120, 'taken'],
    [7, 'moved'],
  ] as const) {
    await sql`update person set note = ${note} where id = ${ids[no]}`.execute(server.database.kysely)
  }
  for (let no = 250; no < 400; no++) {
    await insert(server, 'person', server.morango.record('person', { root, owner: OWNER, note: `n${no}` }))
  }
  await pull(client, server, root)
  const expected = Array.from({ length: 400 }, (_, no) => `n${no}`)
  // Row 120 stays as it was.
  expected.splice(7, 1, 'moved', 'taken')
  expect(await notes(client, 'person')).toEqual(expected.toSorted())
  expect(await problemsOf(client)).toEqual([expect.stringMatching(/^unique: .*taken/)])
})

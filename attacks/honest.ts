import { expect, inject } from 'vitest'
import { createOurPeer } from '../interop/our-peer.ts'
import { newDatabase, startTestPython } from '../interop/network.ts'
import type { Peer, StoreRow } from '../interop/peer.ts'
import { certify } from '../interop/introduce.ts'
import { readRecords, type TestRecord } from '../src/testing/records.ts'
import type { World } from './world.ts'

/** Peers that do nothing but what they should. */
export interface Honest {
  readonly world: World
  readonly peers: readonly Member[]
  /** Each edits something, and pulls and pushes. */
  syncOn(): Promise<void>
  close(): Promise<void>
}

interface Member {
  readonly peer: Peer
  /** What it syncs. */
  readonly filter: string
  /** The sample that it edits, of its own. */
  readonly sample: string
}

/** One of ours, and one of the original where there is Python. */
export async function startHonest(world: World): Promise<Honest> {
  const ours = await createOurPeer()
  const python = inject('python') === undefined ? undefined : await startTestPython(newDatabase(), {})
  if (python === undefined) console.warn('attacks: no Python peer takes part, as there is no Python here')
  const { root, ann, bob } = world
  const members: Member[] = []
  let serial = 0
  for (const [peer, filter] of [
    [ours, root],
    // What is sent to it is applied as it is: it gets what the attacker with a scope of her own can write not at all.
    [python, `${root}:shared\n${root}:user:${bob}`],
  ] as const) {
    if (peer === undefined) continue
    await certify(peer, { ...peer, url: world.url }, root)
    await sync({ peer, filter, sample: '' })
    const row = { dataset_id: root, label: `of ${peer.kind}`, text: 'honest' }
    const [sample = ''] = await peer.create({ model: 'sample', rows: [row] })
    members.push({ peer, filter, sample })
    await sync({ peer, filter, sample })
  }
  expect(ann).not.toBe(bob)

  async function sync({ peer, filter }: Member): Promise<number> {
    const transfers = [
      { push: false, filter },
      { push: true, filter },
    ]
    const moved = await peer.sync({ url: world.url, dataset: root, transfers })
    return moved.reduce((sum, { transferred }) => sum + transferred, 0)
  }

  return {
    world,
    peers: members,
    async syncOn() {
      for (const member of members) {
        const text = `honest edit ${serial++}`
        await member.peer.update({ model: 'sample', id: member.sample, fields: { text } })
        await sync(member)
        const [row] = (await readRecords(world.kysely, [root])).filter(({ id }) => id === member.sample)
        expect(row?.serialized, `what the server has of ${member.peer.kind}'s edit`).toContain(text)
      }
      await world.update('sample', world.samples[0] ?? '', {
        text: `CANARY-SAMPLE of the server ${serial++}`,
      })
      await world.morango.serialize()
    },
    async close() {
      for (const { peer } of members) await peer.close()
    },
  }
}

const ROUNDS = 2

/** Fails unless every peer has what the server has, under its filter, and another sync moves nothing. */
export async function expectEqual({ world, peers }: Honest): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const { peer, filter } of peers) {
      const transfers = [
        { push: false, filter },
        { push: true, filter },
      ]
      await peer.sync({ url: world.url, dataset: world.root, transfers })
    }
  }
  for (const { peer, filter } of peers) {
    const prefixes = filter.split('\n')
    const here = (await readRecords(world.kysely, prefixes)).map(ofServer)
    const there = (await peer.dump({})).store
      .filter(({ partition }) => prefixes.some((prefix) => partition.startsWith(prefix)))
      .map(ofPeer)
    expect(there, `what ${peer.kind} has`).toEqual(here)
    // Of a subset the original gets some again and again (docs/python.md).
    if (peer.kind === 'python') continue
    const idle = await peer.sync({
      url: world.url,
      dataset: world.root,
      transfers: [{ push: false, filter }],
    })
    expect(
      idle.map(({ transferred }) => transferred),
      `what moves again to ${peer.kind}`,
    ).toEqual([0])
  }
}

type Compared = Readonly<Record<string, unknown>>

function ofServer(row: TestRecord): Compared {
  const { id, model, partition, sourceId: source, serialized, deleted, hardDeleted: hard, version } = row
  return { id, model, partition, source, serialized, deleted, hard, version }
}

function ofPeer(row: StoreRow): Compared {
  const { id, model, partition, source, serialized, deleted, hard, instance, counter } = row
  return { id, model, partition, source, serialized, deleted, hard, version: `${instance}:${counter}` }
}

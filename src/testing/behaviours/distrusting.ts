import { sql } from 'kysely'
import { isMorangoError } from '../../core/errors.ts'
import { MAX_COUNTER, MAX_COUNTER_JUMP } from '../../core/limits.ts'
import { diagnose } from '../../diagnosis/diagnose.ts'
import { type Behaviour, failure, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import type { TestPeer } from '../peer.ts'
import { add, recordOf, suite, suiteNetwork } from './fixtures.ts'
import {
  answering,
  claiming as says,
  forging,
  instanceOf,
  serverClaiming,
  sub,
  withEntry,
} from './hostile.ts'

const NARROW = { scope: 'owner', params: { owner: 'u1' } } as const
const READER = { scope: 'reader', params: { owner: 'u1' } } as const
const DAY_MS = 24 * 60 * 60 * 1000

async function left(peer: TestPeer): Promise<number> {
  const row = await peer.database.kysely
    .selectFrom('morango_instance')
    .select('exchanged_counter')
    .where('current', '=', 1)
    .executeTakeFirstOrThrow()
  return row.exchanged_counter
}

/** A book that a and m have, edited at both; m's edit has another content. */
async function edited(make: MakeNetwork): Promise<{ network: TestNetwork; filter: string; id: string }> {
  const network = await suiteNetwork(make, { peers: { a: {}, c: {}, m: { scope: NARROW } } })
  const filter = `${network.root}:u1`
  const id = await add(network, 'a', 'book', { title: 'first' })
  await network.sync('m', 'a', { filter })
  await network.peer('a').update('book', id, { title: 'unseen' })
  await network.peer('m').update('book', id, { title: 'forged' })
  return { network, filter, id }
}

async function titleAt(peer: TestPeer, id: string): Promise<unknown> {
  return (await peer.row('book', id))?.['title']
}

async function doctorCodes({ database }: TestPeer): Promise<string[]> {
  const { checks } = await diagnose({ database, profiles: [suite] })
  return checks.flatMap(({ findings }) => findings.map(({ code }) => code))
}

/** Histories that know more than can be, and claims about an instance's own counters (protocol §11). */
export const distrusting: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'keeps an edit that nobody has seen from a history that says it was, and says who brought it',
    async run(make) {
      for (const counter of ['own', 'one more', 'highest'] as const) {
        for (const serialized of [false, true]) {
          const { network, filter, id } = await edited(make)
          const victim = network.peer('a')
          if (serialized) await victim.morango.serialize()
          const instance = await instanceOf(victim)
          const now = (await victim.morango.status()).instance.counter
          const known = { own: now + (serialized ? 0 : 1), 'one more': now + 2, highest: MAX_COUNTER }[
            counter
          ]
          const through = forging((record) => withEntry(record, instance, known))
          const what = `${counter}, ${serialized ? 'serialized' : 'not serialized'}`
          await network.sync('m', 'a', { filter, direction: 'push', through })
          same(await titleAt(victim, id), 'unseen', `the row: ${what}`)
          const [conflict, ...others] = await victim.morango.conflicts.list()
          same(others, [], `other conflicts: ${what}`)
          holds(conflict?.certificateId !== undefined, `the certificate is named: ${what}`)
          const entries = await victim.database.kysely
            .selectFrom('morango_record_max_counter')
            .select('counter')
            .where('instance_id', '=', instance)
            .execute()
          same(entries, [], `what is kept of the lie: ${what}`)
          holds((await doctorCodes(victim)).includes('history-not-believed'), `doctor says so: ${what}`)
        }
      }
    },
  },
  {
    name: 'takes no version for its own that it has not sent: a conflict, and a new record is stamped anew',
    async run(make) {
      const { network, filter, id } = await edited(make)
      const victim = network.peer('a')
      const instance = await instanceOf(victim)
      const fresh = await add(network, 'm', 'book', { title: 'planted' })
      const through = forging((record) => ({
        ...withEntry(record, instance, MAX_COUNTER),
        last_saved_instance: instance,
        last_saved_counter: MAX_COUNTER,
      }))
      await network.sync('m', 'a', { filter, direction: 'push', through })
      same(await titleAt(victim, id), 'unseen', 'the edit')
      same((await victim.morango.conflicts.list()).length, 1, 'conflicts')
      same(await titleAt(victim, fresh), 'planted', 'a new record comes, as its sender may write it')
      const { counter } = (await victim.morango.status()).instance
      for (const one of [id, fresh]) {
        const { version } = await recordOf(victim, one)
        const [by, lastSavedCounter] = [version.slice(0, 32), Number(version.slice(33))]
        same(by, instance, `who saved ${one}`)
        holds(lastSavedCounter <= counter, `the version of ${one} is one that was stamped`)
      }
      await victim.update('book', fresh, { title: 'edited' })
      await network.sync('c', 'a')
      same(await titleAt(network.peer('c'), fresh), 'edited', 'the edit at another peer')
    },
  },
  {
    name: 'does the same as a client of a hostile server',
    async run(make) {
      const network = await suiteNetwork(make, { peers: { a: {}, m: {} } })
      const id = await add(network, 'm', 'book', { title: 'first' })
      await network.sync('a', 'm')
      await network.peer('a').update('book', id, { title: 'unseen' })
      await network.peer('m').update('book', id, { title: 'forged' })
      const instance = await instanceOf(network.peer('a'))
      const through = forging((record) => withEntry(record, instance, MAX_COUNTER))
      await network.sync('a', 'm', { direction: 'pull', through })
      same(await titleAt(network.peer('a'), id), 'unseen', 'the edit')
      same((await network.peer('a').morango.conflicts.list()).length, 1, 'conflicts')
    },
  },
  {
    name: 'takes an entry of another instance far beyond what is known for nothing',
    async run(make) {
      const network = await suiteNetwork(make, { peers: { a: {}, c: {}, m: { scope: NARROW } } })
      const filter = `${network.root}:u1`
      const id = await add(network, 'c', 'book', { title: 'first' })
      await network.sync('a', 'c')
      await network.sync('m', 'a', { filter })
      const honest = await instanceOf(network.peer('c'))
      await network.peer('c').update('book', id, { title: 'second' })
      await network.sync('a', 'c')
      await network.peer('m').update('book', id, { title: 'forged' })
      const through = forging((record) => withEntry(record, honest, MAX_COUNTER_JUMP + 100))
      await network.sync('m', 'a', { filter, direction: 'push', through })
      same(await titleAt(network.peer('a'), id), 'second', 'the row')
      same((await network.peer('a').morango.conflicts.list()).length, 1, 'conflicts')
    },
  },
  {
    name: 'keeps what a forged history makes known, as a conflict',
    async run(make) {
      const network = await suiteNetwork(make, { peers: { a: {}, c: {}, m: { scope: NARROW } } })
      const filter = `${network.root}:u1`
      const id = await add(network, 'c', 'book', { title: 'first' })
      await network.sync('a', 'c')
      await network.sync('m', 'a', { filter })
      const honest = await instanceOf(network.peer('c'))
      await network.peer('m').update('book', id, { title: 'by m' })
      // Near enough to be believed, and above anything that c will ever say.
      const through = forging((record) => withEntry(record, honest, 100_000))
      await network.sync('m', 'a', { filter, direction: 'push', through })
      same(await titleAt(network.peer('a'), id), 'by m', 'the row')
      await network.peer('c').update('book', id, { title: 'not to be lost' })
      await network.sync('a', 'c', { direction: 'pull' })
      const [conflict] = await network.peer('a').morango.conflicts.list()
      holds(conflict !== undefined, 'there is a conflict')
      const { fields } = await network.peer('a').morango.conflicts.show(conflict.id)
      same(fields.find(({ field }) => field === 'title')?.theirs, '"not to be lost"', 'what is kept')
    },
  },
  {
    name: 'has it on record that records leave before they do, and only then',
    async run(make) {
      const network = await suiteNetwork(make, { peers: ['a', 'b'] })
      const [client, server] = [network.peer('a'), network.peer('b')]
      await add(network, 'a', 'book')
      await client.morango.serialize()
      same(await left(client), 0, 'before anything was sent')
      await network.sync('a', 'b', { direction: 'pull' })
      same(await left(client), 0, 'after a pull, in which nothing was sent')
      const faults = [{ kind: 'kill', side: 'client', stage: 'transferring' }] as const
      await network.sync('a', 'b', { direction: 'push', faults }).catch(() => undefined)
      const sent = await sql<{
        counter: number
      }>`select max(last_saved_counter) as counter from morango_store`.execute(client.database.kysely)
      same(await left(client), Number(sent.rows[0]?.counter), 'after it was killed over sending')
      await add(network, 'b', 'book')
      await network.sync('a', 'b', { direction: 'pull' })
      holds((await left(server)) > 0, 'it is on record at the server')
    },
  },
  {
    name: 'renews its instance for a claim about it that may be true once a day, and then fails that transfer alone',
    async run(make) {
      const network = await suiteNetwork(make, { peers: { a: {}, c: {}, m: { scope: NARROW } } })
      const filter = `${network.root}:u1`
      const victim = network.peer('a')
      const push = async (): Promise<unknown> => {
        await add(network, 'm', 'book')
        const { id, counter } = (await victim.morango.status()).instance
        const through = says(sub({ [filter]: { [id]: counter + 5 } }))
        return await network.sync('m', 'a', { filter, direction: 'push', through })
      }
      const first = await instanceOf(victim)
      await push()
      const second = await instanceOf(victim)
      holds(second !== first, 'the first claim is believed')
      await failure(push(), 'the second one within a day')
      await failure(push(), 'the third one')
      same(await instanceOf(victim), second, 'the instance')
      holds((await doctorCodes(victim)).includes('renewal-needed'), 'doctor says so')
      await add(network, 'c', 'book')
      await add(network, 'a', 'book')
      const honest = await network.sync('c', 'a')
      holds(honest.pushed > 0 && honest.pulled > 0, 'honest peers sync on')
      network.advance(DAY_MS)
      await push()
      const third = await instanceOf(victim)
      holds(third !== second, 'the next day it is believed again')
      await failure(push(), 'and then not')
      await victim.morango.renewInstance()
      same((await doctorCodes(victim)).includes('renewal-needed'), false, 'it is settled by the operator')
      await push()
    },
  },
  {
    name: 'changes nothing for claims about it that cannot be true, or of who may not write',
    async run(make) {
      const network = await suiteNetwork(make, {
        peers: { a: {}, m: { scope: NARROW }, r: { scope: READER } },
      })
      const filter = `${network.root}:u1`
      const victim = network.peer('a')
      const instance = await instanceOf(victim)
      await add(network, 'a', 'book')
      await victim.morango.serialize()
      const { counter } = (await victim.morango.status()).instance
      for (const claimed of [counter + 100, counter + 100, MAX_COUNTER]) {
        const through = says(sub({ [filter]: { [instance]: claimed } }))
        const { pulled } = await network.sync('r', 'a', { filter, direction: 'pull', through })
        same(pulled, 1, `what a reader gets that claims ${claimed}`)
      }
      await add(network, 'm', 'book')
      const far = says(sub({ [filter]: { [instance]: MAX_COUNTER } }))
      await network.sync('m', 'a', { filter, direction: 'push', through: far })
      same(await instanceOf(victim), instance, 'the instance')
      const about = await victim.morango.claims.list({ instance })
      const now = (await victim.morango.status()).instance.counter
      holds(
        about.every((claim) => claim.counter <= now),
        'nothing is learned beyond what was stamped',
      )
      holds((await doctorCodes(victim)).includes('claim-not-believed'), 'doctor says so')
    },
  },
  {
    name: 'renews as a client for a server once a day, and says which one when it fails',
    async run(make) {
      const network = await suiteNetwork(make, { peers: ['a', 'm', 'c'] })
      const victim = network.peer('a')
      const pull = async (): Promise<unknown> => {
        await add(network, 'm', 'book')
        const { id, counter } = (await victim.morango.status()).instance
        const through = serverClaiming(sub({ [network.root]: { [id]: counter + 5 } }))
        return await network.sync('a', 'm', { direction: 'pull', through })
      }
      const first = await instanceOf(victim)
      await pull()
      const second = await instanceOf(victim)
      holds(second !== first, 'the first claim is believed')
      const error = await failure(pull(), 'the second one')
      holds(isMorangoError(error, 'renewal-needed'), `its code: ${String(error)}`)
      holds(error.details['certificate'] === network.root, 'the certificate is named')
      same(await instanceOf(victim), second, 'the instance')
      await add(network, 'c', 'book')
      same(
        (await network.sync('a', 'c', { direction: 'pull' })).pulled > 0,
        true,
        'another server is pulled from',
      )
      await add(network, 'm', 'book')
      await network.sync('a', 'm', { direction: 'pull', through: answering(() => ({})) })
    },
  },
  {
    name: 'refuses to stamp beyond the last counter, and goes on as a new instance',
    async run(make) {
      const network = await suiteNetwork(make, { peers: ['a', 'b'] })
      const { morango, database } = network.peer('a')
      await database.kysely
        .updateTable('morango_instance')
        .set({ counter: MAX_COUNTER - 1 })
        .execute()
      await add(network, 'a', 'book')
      await morango.serialize()
      await add(network, 'a', 'book')
      const error = await failure(morango.serialize(), 'a serialization beyond the last counter')
      holds(isMorangoError(error, 'counter-exhausted'), `its code: ${String(error)}`)
      await morango.renewInstance()
      await network.sync('a', 'b')
      same((await network.peer('b').rows('book')).length, 2, 'books')
    },
  },
]

import { sql } from 'kysely'
import { same } from '../../src/testing/behaviour.ts'
import { createTestNetwork, type Fault, type TestNetwork, type TestPeer } from '../../src/testing/index.ts'
import { forgetComparisons, keptSums, requireTrueSums } from '../../src/testing/sums.ts'
import { readDoubts } from '../../src/storage/doubts.ts'
import { makeTestDatabase } from '../databases/index.ts'
import type { ChangeStep, CreateStep, SyncStep } from './steps.ts'

export type Owner = 'u1' | 'u2'
export type ModelName = 'shelf' | 'book' | 'note' | 'setting'
export const MODELS: readonly ModelName[] = ['shelf', 'book', 'note', 'setting']
export const OWNERS: readonly Owner[] = ['u1', 'u2']

/** What one peer may have: everything, or one owner's. */
export type Holder = 'all' | Owner

/** One thing that happens. */
export type Step =
  | CreateStep<ModelName, Owner>
  | ChangeStep
  | (SyncStep<'all' | Owner | 'u1 notes' | 'u1 and u2'> & { readonly faults: readonly Fault[] })
  | { readonly do: 'restart'; readonly peer: number }

/** How two peers compare their counters and share the work, and the capabilities that they don't have then. */
const FORMATS = {
  v2: [],
  'v2-staged': ['JOINED_STAGES'],
  v1: ['FSIC_V2_FORMAT'],
  bundled: ['ASYNC_OPERATIONS', 'FSIC_V2_FORMAT'],
} as const

export interface History {
  readonly holders: readonly Holder[]
  readonly steps: readonly Step[]
  readonly format: keyof typeof FORMATS
}

interface Known {
  readonly id: string
  readonly model: ModelName
  readonly owner: Owner
  /** All values it was created with, to create it again. */
  row: Record<string, unknown>
  /** Ids it has ever referred to. */
  readonly refs: Set<string>
}

const TEXT: Record<ModelName, string> = { shelf: 'label', book: 'title', note: 'body', setting: 'value' }
const REF: Partial<Record<ModelName, readonly [string, ModelName]>> = {
  shelf: ['parent_id', 'shelf'],
  book: ['shelf_id', 'shelf'],
  note: ['book_id', 'book'],
}

interface Counters {
  readonly claims: Map<string, number>
  readonly history: Map<string, number>
  readonly instances: Map<string, number>
}

/** Peers, what their users did, and what must hold because of it. */
export class World {
  readonly network: TestNetwork
  readonly holders: readonly Holder[]
  private readonly names: readonly string[]
  private readonly known: Known[] = []
  private readonly byId = new Map<string, Known>()
  private readonly tokens = new Map<string, { readonly id: string; superseded: boolean }>()
  private readonly deleted = new Set<string>()
  private readonly hard = new Set<string>()
  private readonly recreated = new Set<string>()
  private readonly contents = new Map<string, string>()
  private readonly versions = new Map<
    string,
    { id: string; partition: string; instance: string; counter: number }
  >()
  private readonly before = new Map<string, Counters>()
  readonly log: string[] = []
  private serial = 0

  constructor(network: TestNetwork, holders: readonly Holder[]) {
    this.network = network
    this.holders = holders
    this.names = network.names
  }

  static async create(history: Pick<History, 'holders' | 'format'>, seed: string | number): Promise<World> {
    const { holders, format } = history
    const names = ['a', 'b', 'c', 'd', 'e']
    const peers = Object.fromEntries(
      holders.map((holder, index) => [
        names[index] ?? String(index),
        holder === 'all' ? {} : { scope: { scope: 'owner', params: { owner: holder } } },
      ]),
    )
    const withoutCapabilities = [...FORMATS[format]]
    // Long stages in several turns, too.
    const turnSize = [undefined, 1, 2, 3][(holders.length + withoutCapabilities.length) % 4]
    const database = makeTestDatabase
    const options = { database, peers, seed, chunkSize: 2, turnSize, withoutCapabilities }
    return new World(await createTestNetwork(options), holders)
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.apply(step)
  }

  private name(index: number): string {
    return this.names[index % this.names.length] ?? 'a'
  }

  private peer(index: number): TestPeer {
    return this.network.peer(this.name(index))
  }

  private async apply(step: Step): Promise<void> {
    switch (step.do) {
      case 'create':
        return await this.create(step)
      case 'sync':
        return await this.sync(step)
      case 'restart':
        this.log.push(`restart ${this.name(step.peer)}`)
        return await this.peer(step.peer).restart()
      default:
        return await this.change(step)
    }
  }

  private token(owner: Owner, id: string): string {
    const token = `<${owner}:${this.serial++}>`
    this.tokens.set(token, { id, superseded: false })
    return token
  }

  private async create(step: Step & { do: 'create' }): Promise<void> {
    const holder = this.holders[step.peer % this.names.length]
    const owner = holder === 'u1' || holder === 'u2' ? holder : step.owner
    const peer = this.peer(step.peer)
    const { model } = step
    const values: Record<string, unknown> = { root: this.network.root, owner }
    const ref = REF[model]
    if (ref !== undefined) {
      const [column, target] = ref
      const rows = (await peer.rows(target)).filter((row) => row['owner'] === owner)
      const chosen = rows[step.ref % (rows.length + (model === 'note' ? 0 : 1))]
      if (chosen === undefined && model === 'note') return
      values[column] = chosen?.['id'] ?? null
    }
    if (model === 'setting') values['name'] = `key${step.ref % 2}`
    const token = `<${owner}:${this.serial}>`
    values[TEXT[model]] = token
    const { id } = peer.morango.record(model, { ...values })
    if ((await peer.row(model, id)) !== undefined || this.hard.has(id)) return
    const row = await peer.insert(model, values)
    // A random id is drawn anew for the row that is written.
    this.token(owner, row.id)
    await this.created(peer, model, owner, { ...row })
    this.log.push(`${peer.name} creates ${model} ${row.id.slice(0, 6)} ${token}`)
  }

  private async created(
    peer: TestPeer,
    model: ModelName,
    owner: Owner,
    row: Record<string, unknown> & { id: string },
  ): Promise<void> {
    const known = this.byId.get(row.id) ?? { id: row.id, model, owner, row, refs: new Set<string>() }
    if (!this.byId.has(row.id)) {
      this.byId.set(row.id, known)
      this.known.push(known)
    } else {
      this.recreated.add(row.id)
      // What is replaced here knowingly: the content that this peer has of the deleted record.
      const stored = (await peer.records()).find((record) => record.id === row.id)
      if (stored !== undefined) this.supersede(stored.serialized)
    }
    const ref = REF[model]
    if (ref !== undefined && typeof row[ref[0]] === 'string') known.refs.add(String(row[ref[0]]))
  }

  private supersede(text: unknown): void {
    for (const token of String(text).match(/<u\d:\d+>/g) ?? []) {
      const entry = this.tokens.get(token)
      if (entry !== undefined) entry.superseded = true
    }
  }

  private async change(step: ChangeStep): Promise<void> {
    const peer = this.peer(step.peer)
    const present: Known[] = []
    const absent: Known[] = []
    const stored = new Set((await peer.records()).map(({ id }) => id))
    const rows = await this.rowsOf(peer)
    for (const known of this.known) {
      if (rows.has(known.id)) present.push(known)
      else if (stored.has(known.id)) absent.push(known)
    }
    const pool = step.do === 'recreate' ? absent.filter(({ id }) => !this.hard.has(id)) : present
    const known = pool[step.record % Math.max(1, pool.length)]
    if (known === undefined) return
    const { id, model, owner } = known
    this.log.push(`${peer.name} ${step.do} ${model} ${id.slice(0, 6)} <${owner}:${this.serial}>`)
    switch (step.do) {
      case 'edit': {
        this.supersede((await peer.row(model, id))?.[TEXT[model]])
        await peer.update(model, id, { [TEXT[model]]: this.token(owner, id) })
        return
      }
      case 'move': {
        if (model !== 'book') return
        const shelves = (await peer.rows('shelf')).filter((row) => row['owner'] === owner)
        const target = shelves[(step.ref ?? 0) % (shelves.length + 1)]?.['id']
        if (typeof target === 'string') known.refs.add(target)
        await peer.update(model, id, { shelf_id: target ?? null })
        return
      }
      case 'delete':
      case 'delete-hard': {
        const before = await this.rowsOf(peer)
        if (step.do === 'delete') await peer.delete(model, id)
        else await peer.deleteHard(model, id)
        const after = await this.rowsOf(peer)
        for (const [gone, row] of before) {
          if (after.has(gone)) continue
          this.supersede(JSON.stringify(row))
          // What was never in a Store nobody can have been told of.
          if (!stored.has(gone)) continue
          this.deleted.add(gone)
          this.recreated.delete(gone)
          if (step.do === 'delete-hard') this.hard.add(gone)
        }
        return
      }
      case 'recreate': {
        const ref = REF[model]
        const row: Record<string, unknown> = { ...known.row }
        if (ref !== undefined && row[ref[0]] !== null) {
          const parent = await peer.row(ref[1], String(row[ref[0]]))
          if (parent === undefined) return
        }
        row[TEXT[model]] = this.token(owner, id)
        await this.created(peer, model, owner, { ...row, id })
        await peer.insert(model, row)
      }
    }
  }

  private async rowsOf(peer: TestPeer): Promise<Map<string, object>> {
    const rows = new Map<string, object>()
    for (const model of MODELS) for (const row of await peer.rows(model)) rows.set(String(row['id']), row)
    return rows
  }

  private async sync(step: Step & { do: 'sync' }): Promise<void> {
    const { length } = this.names
    const client = step.client % length
    const server = step.server % length === client ? (client + 1) % length : step.server % length
    const { root } = this.network
    const prefixes = {
      all: [root],
      u1: [`${root}:u1`],
      u2: [`${root}:u2`],
      'u1 notes': [`${root}:u1:note`],
      'u1 and u2': [`${root}:u1`, `${root}:u2`],
    }[step.filter]
    const may = [client, server].every((index) => {
      const holder = this.holders[index]
      return holder === 'all' || prefixes.every((prefix) => prefix.startsWith(`${root}:${holder}`))
    })
    const both = [this.holders[client], this.holders[server]].filter((holder) => holder !== 'all')
    if (both.includes('u1') && both.includes('u2')) return
    const filter = may ? prefixes.join('\n') : `${root}:${both[0] ?? 'u1'}`
    const { direction, faults } = step
    const line = `${this.name(client)} ${direction} ${this.name(server)} ${filter.replaceAll(root, '')} ${JSON.stringify(faults)}`
    this.log.push(line)
    // Whenever they come to an end, they compare what they have.
    for (const index of [client, server]) await forgetComparisons(this.peer(index))
    try {
      const report = await this.network.sync(this.name(client), this.name(server), {
        filter,
        direction,
        faults,
      })
      this.log.push(`  pulled ${report.pulled} pushed ${report.pushed} conflicts ${report.conflicts}`)
    } catch (error) {
      this.log.push(`  ${String(error)}`)
      if (faults.length === 0) throw error
    }
    await this.check([this.name(client), this.name(server)])
  }

  /** What holds after every sync. */
  async check(names: readonly string[] = this.names): Promise<void> {
    const holdings: { name: string; counters: Counters }[] = []
    for (const name of names) {
      const peer = this.network.peer(name)
      for (const record of await peer.records()) {
        const { version, ...rest } = record
        const key = `${record.id} ${version}`
        const content = JSON.stringify(rest)
        const seen = this.contents.get(key)
        if (seen !== undefined) same(content, seen, `two contents of one version, at ${name}`)
        this.contents.set(key, content)
        const [instance = '', counter] = version.split(':')
        this.versions.set(key, {
          id: record.id,
          partition: record.partition,
          instance,
          counter: Number(counter),
        })
      }
      await requireTrueSums(peer, name)
      const counters = await readCounters(peer)
      const last = this.before.get(name)
      if (last !== undefined) this.checkNeverLower(name, last, counters)
      this.before.set(name, counters)
      holdings.push({ name, counters })
      const doubts = await readDoubts(peer.database.kysely)
      same(
        doubts.filter(({ kind }) => kind === 'claims-differ'),
        [],
        `${name} lacks nothing of what it claims`,
      )
      const holder = this.holders[this.names.indexOf(name)]
      if (holder === 'all') continue
      const other = holder === 'u1' ? '<u2:' : '<u1:'
      same(await peer.tablesWith(other), [], `${name} has what it may not have`)
    }
    for (const { name, counters } of holdings) this.checkClaims(name, counters)
  }

  private checkNeverLower(name: string, last: Counters, now: Counters): void {
    for (const part of ['claims', 'history', 'instances'] as const) {
      for (const [key, counter] of last[part]) {
        must((now[part].get(key) ?? 0) >= counter, `${part} ${key} fell at ${name}`)
      }
    }
  }

  private checkClaims(name: string, { claims, history }: Counters): void {
    for (const [key, upTo] of claims) {
      const [instance = '', partition = ''] = key.split(' ')
      for (const version of this.versions.values()) {
        if (
          version.instance !== instance ||
          version.counter > upTo ||
          !version.partition.startsWith(partition)
        )
          continue
        const held = history.get(`${version.id} ${instance}`) ?? 0
        must(
          held >= version.counter,
          `${name} claims ${partition.slice(32)} of ${instance.slice(0, 6)} up to ${upTo} without ${version.id.slice(0, 6)} at ${version.counter}`,
        )
      }
    }
  }

  /** What holds once they have exchanged enough. */
  async end(): Promise<void> {
    // What nobody else may have is serialized by no sync.
    for (const name of this.names) await this.network.peer(name).morango.serialize()
    await this.network.converge({ maxRounds: 12 })
    await this.check()
    this.network.advance(7 * 60 * 60 * 1000)
    for (const name of this.names) await this.network.peer(name).morango.cleanup()
    same(await this.network.converge({ maxRounds: 1 }), 1, 'rounds')
    await this.check()
    const peers = this.names.map((name) => this.network.peer(name))
    for (const [index, peer] of peers.entries()) {
      await this.checkBuffers(peer)
      await this.checkRowsFitRecords(peer)
      for (const other of peers.slice(0, index)) await this.checkEqual(other, peer)
    }
    await this.checkTokens(peers)
    await this.checkDeletions(peers)
    await this.network.close()
  }

  private async checkBuffers(peer: TestPeer): Promise<void> {
    for (const table of ['morango_outgoing', 'morango_outgoing_snapshot', 'morango_incoming'] as const) {
      same(await peer.database.kysely.selectFrom(table).selectAll().execute(), [], `${table} of ${peer.name}`)
    }
    same(await peer.morango.problems(), [], `problems of ${peer.name}`)
    const status = await peer.morango.status()
    same(status.pendingChanges, 0, `pending at ${peer.name}`)
    same(
      await peer.database.kysely.selectFrom('morango_dirty').selectAll().execute(),
      [],
      `dirty at ${peer.name}`,
    )
  }

  private async checkRowsFitRecords(peer: TestPeer): Promise<void> {
    const rows = await this.rowsOf(peer)
    const records = await peer.records()
    const alive = records.filter(({ deleted }) => !deleted)
    same(
      [...rows.keys()].toSorted(),
      alive.map(({ id }) => id).toSorted(),
      `rows and records of ${peer.name}`,
    )
    for (const record of alive) {
      const {
        _morango_source_id: _,
        _morango_partition: __,
        ...fields
      }: Record<string, unknown> = JSON.parse(record.serialized)
      same({ ...rows.get(record.id), ...fields }, rows.get(record.id), `row and record at ${peer.name}`)
    }
  }

  private async checkEqual(a: TestPeer, b: TestPeer): Promise<void> {
    const holders = [a, b].map(({ name }) => this.holders[this.names.indexOf(name)])
    const scoped = holders.filter((holder) => holder !== 'all')
    if (new Set(scoped).size > 1) return
    const filter = scoped[0] === undefined ? undefined : `${this.network.root}:${scoped[0]}`
    same(await b.records(filter), await a.records(filter), `${a.name} and ${b.name}`)
    same(
      [...(await keptSums(b, filter))],
      [...(await keptSums(a, filter))],
      `sums at ${a.name} and ${b.name}`,
    )
    for (const model of MODELS) {
      const rows = async (peer: TestPeer): Promise<unknown[]> =>
        (await peer.rows(model)).filter((row) => scoped[0] === undefined || row['owner'] === scoped[0])
      same(await rows(b), await rows(a), `${model} at ${a.name} and ${b.name}`)
    }
  }

  private async checkTokens(peers: readonly TestPeer[]): Promise<void> {
    const texts = new Map<string, string>()
    const fallen = new Set<string>()
    for (const peer of peers) {
      for (const record of await peer.records()) {
        // What refers to something deleted hard is deleted as hard, whoever wrote it.
        if (record.hardDeleted) fallen.add(record.id)
        texts.set(record.id, `${texts.get(record.id) ?? ''}${record.serialized}${record.conflicting}`)
      }
    }
    for (const [token, { id, superseded }] of this.tokens) {
      if (this.hard.has(id)) {
        for (const peer of peers)
          same(await peer.tablesWith(token), [], `hard-deleted ${token} at ${peer.name}`)
      } else if (!superseded && !fallen.has(id)) {
        must((texts.get(id) ?? 'no record').includes(token), `the edit ${token} is lost`)
      }
    }
  }

  private async checkDeletions(peers: readonly TestPeer[]): Promise<void> {
    for (const peer of peers) {
      const records = await peer.records()
      const gone = new Set(records.filter(({ deleted }) => deleted).map(({ id }) => id))
      for (const { id, deleted, hardDeleted } of records) {
        if (this.deleted.has(id) && !this.recreated.has(id)) {
          same(deleted, true, `${id.slice(0, 6)} came back at ${peer.name}`)
        }
        if (this.hard.has(id))
          same(hardDeleted, true, `${id.slice(0, 6)} is not hard-deleted at ${peer.name}`)
        if (!deleted || this.deleted.has(id)) continue
        const refs = [...(this.byId.get(id)?.refs ?? [])]
        same(
          refs.some((ref) => gone.has(ref) || this.deleted.has(ref)),
          true,
          `${id.slice(0, 6)} was deleted by nobody`,
        )
        if (!hardDeleted) continue
        const why = refs.some(
          (ref) => this.hard.has(ref) || records.some((other) => other.id === ref && other.hardDeleted),
        )
        same(why, true, `${id.slice(0, 6)} was hard-deleted by nobody`)
      }
    }
  }
}

function must(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise)
}

async function readCounters(peer: TestPeer): Promise<Counters> {
  const { kysely } = peer.database
  const claims = await kysely.selectFrom('morango_database_max_counter').selectAll().execute()
  const instances = await kysely.selectFrom('morango_instance').selectAll().execute()
  const history = await sql<{ id: string; instance: string; counter: number }>`
    select id, last_saved_instance as instance, last_saved_counter as counter from morango_store
    union all select store_id, instance_id, counter from morango_record_max_counter`.execute(kysely)
  const counters: Counters = {
    claims: new Map(claims.map((row) => [`${row.instance_id} ${row.partition}`, row.counter])),
    instances: new Map(instances.map((row) => [row.id, row.counter])),
    history: new Map(),
  }
  for (const { id, instance, counter } of history.rows) {
    const key = `${id} ${instance}`
    counters.history.set(key, Math.max(counter, counters.history.get(key) ?? 0))
  }
  return counters
}

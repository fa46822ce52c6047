import { sql } from 'kysely'
import { diagnose, type Diagnosis } from '../../diagnosis/diagnose.ts'
import { defineProfile } from '../../models/profile.ts'
import { scope } from '../../models/scope.ts'
import { setMeta } from '../../storage/migrations.ts'
import type { Severity } from '../../storage/finding.ts'
import { type Behaviour, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestPeer } from '../peer.ts'
import { add, halfway, suite, suiteNetwork } from './fixtures.ts'

const DAY_MS = 86_400_000
// What the test's own machine, clock and profile bring along: its owners have no colon behind them.
const OURS = new Set(['open-scope', 'recursive-triggers', 'clocks-apart', 'clock-wrong', 'connections-few'])

/** Diagnoses a peer, as long after its last sync as is said. */
async function diagnosisOf(peer: TestPeer, { profile = suite, later = 0 } = {}): Promise<Diagnosis> {
  const sessions = await peer.database.kysely
    .selectFrom('morango_sync_session')
    .select('last_activity_at')
    .orderBy('last_activity_at', 'desc')
    .execute()
  const now = (sessions[0] === undefined ? Date.now() : Date.parse(sessions[0].last_activity_at)) + later
  return await diagnose({
    database: peer.database,
    profiles: [profile],
    clock: { now: () => new Date(now) },
  })
}

function found({ checks }: Diagnosis): [Severity, string][] {
  return checks.flatMap(({ findings }) =>
    findings.flatMap(({ severity, code }): [Severity, string][] =>
      severity === 'ok' || OURS.has(code) ? [] : [[severity, code]],
    ),
  )
}

/** What `diagnose` finds, each link broken alone. */
export const diagnosing: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'finds nothing in peers that synced, and changes nothing',
    async run(make) {
      const network = await suiteNetwork(make)
      await add(network, 'a', 'book')
      await network.sync('a', 'b')
      const before = await network.digest('a')
      for (const name of ['a', 'b']) same(found(await diagnosisOf(network.peer(name))), [], name)
      same(await network.digest('a'), before, 'the Store')
    },
  },
  {
    name: 'finds tables that do not fit and triggers that are gone, where nothing else starts',
    async run(make) {
      const network = await suiteNetwork(make)
      const a = network.peer('a')
      const { database } = a
      const [trigger] = [...(await database.dialect.installedTriggers(database.kysely)).keys()].filter(
        (name) => name.endsWith('book_insert'),
      )
      await sql.raw(database.dialect.dropTrigger(trigger ?? '')).execute(database.kysely)
      const gone = await diagnosisOf(a)
      same(gone.severity, 'error', 'without a trigger')
      holds(
        gone.checks.some(({ name, severity }) => name === 'tracking' && severity === 'error'),
        'tracking is an error',
      )
      await sql`alter table topic rename to subject`.execute(database.kysely)
      const renamed = await diagnosisOf(a)
      holds(
        renamed.checks.some(({ findings }) =>
          findings.some(({ code, sentence }) => code === 'invalid-declaration' && sentence.includes('topic')),
        ),
        'the renamed table is named',
      )
    },
  },
  {
    name: 'finds a database that is not migrated, and one of a later release',
    async run(make) {
      const network = await suiteNetwork(make)
      const { kysely } = network.peer('a').database
      await setMeta(kysely, 'schema_version', '9999')
      const later = await diagnosisOf(network.peer('a'))
      same([later.severity, later.versions.tables], ['error', 9999], 'a later release')
      holds(!later.checks.some(({ name }) => name === 'sessions'), 'what needs our tables is left out')
    },
  },
  {
    name: 'finds rows and records that wait, and changes that nobody has fetched for long',
    async run(make) {
      const network = await suiteNetwork(make)
      await add(network, 'a', 'account', { email: 'nobody' })
      await network.sync('a', 'b')
      same(found(await diagnosisOf(network.peer('b'))), [['warning', 'problem-validation']], 'not applied')
      const { kysely } = network.peer('a').database
      await sql`insert into book (id, root, owner) values ('00000000000000000000000000000001', 'x', 'y')`.execute(
        kysely,
      )
      same(found(await diagnosisOf(network.peer('a'))), [], 'a change that has just been made')
      same(
        found(await diagnosisOf(network.peer('a'), { later: 8 * DAY_MS })),
        [['warning', 'changes-waiting']],
        'a week later',
      )
      await network.peer('a').morango.serialize()
      same(found(await diagnosisOf(network.peer('a'))), [['warning', 'problem-source-id-empty']], 'not sent')
    },
  },
  {
    name: 'finds a transfer that stopped half way, and what is left of it',
    async run(make) {
      const { network } = await halfway(make)
      network.advance(60_000)
      await network.peer('a').restart()
      const after = found(await diagnosisOf(network.peer('a'), { later: DAY_MS }))
      holds(
        after.some(([, code]) => code === 'sessions-left'),
        `the session is found: ${JSON.stringify(after)}`,
      )
      const { kysely } = network.peer('b').database
      await kysely.updateTable('morango_transfer_session').set({ active: 0 }).execute()
      await kysely.updateTable('morango_sync_session').set({ active: 0 }).execute()
      same(found(await diagnosisOf(network.peer('b'))), [['warning', 'buffers-left']], 'buffers')
    },
  },
  {
    name: 'finds a transfer that failed, until a later one does not',
    async run(make) {
      const network = await suiteNetwork(make)
      await add(network, 'a', 'book')
      await network.sync('a', 'b', { direction: 'push' })
      const { kysely } = network.peer('a').database
      await kysely
        .updateTable('morango_transfer_session')
        .set({ stage: 'queuing', stage_status: 'errored', error: 'No room.' })
        .execute()
      same(found(await diagnosisOf(network.peer('a'))), [['warning', 'transfer-failed']], 'failed')
      network.advance(1000)
      await network.sync('a', 'b', { direction: 'push' })
      same(found(await diagnosisOf(network.peer('a'))), [], 'and then not')
    },
  },
  {
    name: 'finds certificates without scope, chain or key, or none',
    async run(make) {
      const network = await suiteNetwork(make)
      const a = network.peer('a')
      const { kysely } = a.database
      const { models } = suite
      const renamed = defineProfile({
        name: 'suite',
        models,
        scopes: { everything: scope({ root: 'root', readWrite: '${root}' }) },
      })
      same(found(await diagnosisOf(a, { profile: renamed })), [['error', 'scope-unknown']], 'scope')
      const versioned = defineProfile({
        name: 'suite',
        models,
        scopes: { all: scope({ root: 'root', readWrite: '${root}', version: 2 }) },
      })
      same(found(await diagnosisOf(a, { profile: versioned })), [['note', 'scope-version']], 'version')
      await kysely.updateTable('morango_certificate').set({ private_key: 'no key' }).execute()
      same(found(await diagnosisOf(a)), [['error', 'certificate-key-unusable']], 'key')
      await kysely.updateTable('morango_certificate').set({ signature: 'AAAA' }).execute()
      same(found(await diagnosisOf(a)), [['error', 'certificate-chain-broken']], 'signature')
      await kysely.updateTable('morango_certificate').set({ parent_id: 'gone' }).execute()
      same(found(await diagnosisOf(a)), [['error', 'certificate-chain-broken']], 'parent')
      await kysely.updateTable('morango_certificate').set({ private_key: null }).execute()
      same(found(await diagnosisOf(a)), [['warning', 'no-certificate']], 'none')
    },
  },
  {
    name: 'finds a copied database, one whose counter fell back, and a clock that is behind',
    async run(make) {
      const network = await suiteNetwork(make)
      await add(network, 'a', 'book')
      await network.sync('a', 'b')
      const a = network.peer('a')
      const late = found(await diagnosisOf(a, { later: -DAY_MS }))
      same(late, [['warning', 'clock-behind']], 'clock')
      await a.database.kysely.updateTable('morango_instance').set({ counter: 0 }).execute()
      same(found(await diagnosisOf(a)), [['error', 'counter-fallen-back']], 'counter')
      const b = network.peer('b')
      await setMeta(b.database.kysely, 'fingerprint', 'elsewhere')
      same(found(await diagnosisOf(b)), [['note', 'database-copied']], 'copied')
    },
  },
]

// One device: a process of its own, with its own database and HTTP server. The demo tells it what to do.

import { DatabaseSync } from 'node:sqlite'
import type { Authorization, CertificateApplicant, CertificateWish, SyncProgress } from '../src/index.ts'
import { createMorango, isMorangoError } from '../src/index.ts'
import { listen, zlibCompressor } from '../src/node.ts'
import { sqlite } from '../src/sqlite.ts'
import type { Call, DeviceApi, Failure, Message } from './device-api.ts'
import { insertCountry, insertRows, loadCountries, toRows } from './gazetteer-data.ts'
import { gazetteer, SCHEMA } from './gazetteer.ts'
import { digestCountries, searchTables } from './inspect.ts'

const [file = '', role = ''] = process.argv.slice(2)

// The application's own connection. Morango has another one, and sees what this one writes.
const db = new DatabaseSync(file, { timeout: 10_000 })
db.exec('pragma journal_mode = wal')
db.exec('pragma synchronous = normal')
db.exec(SCHEMA)

const morango = await createMorango({
  database: sqlite(file),
  profiles: [gazetteer],
  migrate: true,
  compressor: zlibCompressor,
  allowCertificatePushing: role === 'cloud',
})
const server = await listen(morango, { port: 0, authorize })

/** Who may have which certificate is for the application to say. */
function authorize(applicant: CertificateApplicant, wish: CertificateWish): Authorization {
  if (applicant.password !== 'open sesame') return 'unauthenticated'
  return wish.scopeDefinition === 'one-country'
}

const device: DeviceApi = {
  createRoot: async () => (await morango.certificates.createRoot('full-gazetteer')).id,

  survey: async (datasetId, codes) => {
    const surveyed = []
    for (const data of await loadCountries(codes)) {
      const rows = toRows(morango, datasetId, data)
      insertCountry(db, rows)
      const { id, code, name } = rows.country
      surveyed.push({ id, code, name, regions: rows.regions.length, places: rows.places.length })
    }
    return surveyed
  },

  requestCertificate: async (url, { scope, params }, password) => {
    await morango.certificates.request(url, {
      primaryPartition: params.dataset_id,
      scopeDefinition: scope,
      scopeParams: { ...params },
      credentials: { username: role, password },
    })
  },

  giveCertificate: async (url, { scope, params }) => {
    await morango.certificates.push(url, {
      parentId: params.dataset_id,
      scopeDefinition: scope,
      scopeParams: { ...params },
    })
  },

  sync: async (url, filter) => {
    const report = await morango.sync(url, { filter, onProgress: tellProgress })
    return {
      received: report.pulled,
      sent: report.pushed,
      conflicts: report.conflicts,
      waiting: report.problems.unserialized + report.problems.undeserialized,
      roundTrips: report.roundTrips,
      bytes: report.bytes.sent + report.bytes.received,
    }
  },

  addPlace: async (place) => {
    const row = morango.record('place', place)
    insertRows(db, 'place', [row])
    return row.id
  },

  write: async (sql, ...values) => Number(db.prepare(sql).run(...values).changes),

  deleteHard: (model, id) => morango.deleteHard(model, [id]),

  query: async (sql, ...values) => db.prepare(sql).all(...values),

  digests: async () => digestCountries(db),

  search: async (text) => searchTables(db, text),

  close: async () => {
    await server.close()
    await morango.close()
    db.close()
  },
}

function tellProgress(progress: SyncProgress): void {
  if (progress.kind !== 'stage-started' && progress.kind !== 'stage-progress') return
  const { direction, stage, done, total } = progress
  tell({
    kind: 'progress',
    text: `${direction}, ${stage}${total === undefined ? '' : `: ${done} of ${total}`}`,
  })
}

function tell(message: Message): void {
  process.send?.(message)
}

function describeFailure(error: unknown): Failure {
  if (!isMorangoError(error))
    return {
      message: error instanceof Error ? error.message : String(error),
      code: undefined,
      status: undefined,
    }
  const { status } = error.details
  return { message: error.message, code: error.code, status: typeof status === 'number' ? status : undefined }
}

async function answer({ id, name, args }: Call): Promise<void> {
  try {
    const result: unknown = await Reflect.apply(device[name], device, args)
    tell({ kind: 'result', id, result })
  } catch (error) {
    tell({ kind: 'failed', id, failure: describeFailure(error) })
  }
  // Nothing holds the process any longer: it ends by itself.
  if (name === 'close') process.disconnect()
}

process.on('message', (call: Call) => {
  void answer(call)
})

// Ctrl-C reaches every process of the terminal; the demo itself sees to its devices.
process.on('SIGINT', () => {})
process.on('disconnect', () => {
  if (db.isOpen) process.exit()
})

tell({ kind: 'ready', url: server.url })

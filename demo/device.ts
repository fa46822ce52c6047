// One device: a process of its own, with its own database and HTTP server. The demo tells it what to do.

import type { Authorization, CertificateApplicant, CertificateWish, SyncProgress } from '../src/index.ts'
import { createMorango, isMorangoError } from '../src/index.ts'
import { listen, zlibCompressor } from '../src/node.ts'
import { type DatabaseChoice, openAppDatabase } from './databases/app-database.ts'
import type { Call, DeviceApi, Failure, Message } from './device-api.ts'
import { insertCountry, loadCountries, toRows } from './gazetteer-data.ts'
import { gazetteer } from './gazetteer.ts'
import { digestCountries, searchTables } from './inspect.ts'

const [role = ''] = process.argv.slice(2)
// Not an argument: those are seen by everybody on the machine, and it may have a password.
const choice: DatabaseChoice = JSON.parse(process.env['MORANGO_DEMO_DATABASE'] ?? '{}')
const db = await openAppDatabase(choice)
let isClosed = false

const morango = await createMorango({
  database: db.forMorango(),
  profiles: [gazetteer],
  migrate: true,
  compressor: zlibCompressor,
  allowCertificatePushing: role === 'cloud',
})
const server = await listen(morango, { port: 0, authorize })

/** Who may have which certificate is for the application to say: here, whoever knows the word, one country at a time. */
async function authorize(applicant: CertificateApplicant, wish: CertificateWish): Promise<Authorization> {
  if (applicant.password !== 'open sesame') return 'unauthenticated'
  if (wish.scopeDefinition !== 'one-country') return false
  const countries = await db.query('select dataset_id, id from country')
  return wish.isWithin(countries.map(({ dataset_id: dataset, id }) => `${String(dataset)}:${String(id)}`))
}

const device: DeviceApi = {
  createRoot: async () => (await morango.certificates.createRoot('full-gazetteer')).id,

  survey: async (datasetId, codes) => {
    const surveyed = []
    for (const data of await loadCountries(codes)) {
      const rows = toRows(morango, datasetId, data)
      await insertCountry(db, rows)
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
    await db.insert('place', [row])
    return row.id
  },

  write: (sql, ...values) => db.write(sql, ...values),

  deleteHard: (model, id) => morango.deleteHard(model, [id]),

  query: (sql, ...values) => db.query(sql, ...values),

  digests: () => digestCountries(db),

  search: (text) => searchTables(db, text),

  close: async () => {
    await server.close()
    await morango.close()
    await db.close()
    isClosed = true
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
  if (!isClosed) process.exit()
})

tell({ kind: 'ready', url: server.url })

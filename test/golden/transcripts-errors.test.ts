import { beforeAll, describe, expect, it } from 'vitest'
import { certificateFromItem } from '../../src/core/certificate.ts'
import { saveCertificate } from '../../src/storage/certificates.ts'
import { answerAt, differences, shortfalls } from './transcripts-compare.ts'
import { isJson, readTranscript } from './transcripts-data.ts'
import type { Json } from './transcripts-data.ts'
import { CASE_EXCEPTIONS, unrecorded } from './transcripts-exceptions.ts'
import { replay } from './transcripts-replay.ts'
import type { Answer } from './transcripts-replay.ts'
import { signedItem, startServer } from './transcripts-server.ts'
import type { ReplayServer, SeedRecord } from './transcripts-server.ts'
import { recordsIn } from './transcripts-state.ts'

const transcript = readTranscript('errors')
const cases = transcript.cases.map((one, index) => ({ index, ...one }))

/** What was done to the server before a case, apart from what was sent to it. */
const BEFORE: Readonly<Record<string, (server: ReplayServer) => void>> = {
  'sync session, expired nonce (61 s)': (server) => {
    server.advance(61_000)
  },
  'sync session, nonce of 59 s': (server) => {
    server.advance(59_000)
  },
  'sync session, nonce from the future': (server) => {
    server.advance(-5000)
  },
  'inactive sync session: new transfer': ({ sqlite }) => {
    sqlite.exec("update morango_sync_session set active = 0 where id = '6bfbc43db2f4495890d36e5e06b1af2f'")
  },
}

describe('recorded errors', () => {
  const answers: Answer[] = []

  beforeAll(async () => {
    const server = await prepareServer()
    for (const { index, label, exchange } of cases) {
      BEFORE[label]?.(server)
      answers.push(await replay(server, transcript.base_url, exchange, cases[index + 1]?.exchange))
    }
  })

  const recorded = cases.filter(({ exchange }) => typeof exchange.status === 'number')
  const others = cases.filter(({ exchange }) => typeof exchange.status !== 'number')

  it.each(recorded)('$index: $label', ({ index, label, exchange }) => {
    const answer = answerAt(answers, index)
    const exception = CASE_EXCEPTIONS[label]
    const problems = exception === undefined ? differences(exchange, answer) : shortfalls(answer, exception)
    expect(problems).toEqual([])
  })

  it.each(others)('$index, of which the answer is not recorded: $label', ({ index, label }) => {
    const expected = unrecorded(label)
    if (expected === undefined) throw new Error(`What must "${label}" get?`)
    expect(shortfalls(answerAt(answers, index), expected)).toEqual([])
  })

  it('gave the recorded records', () => {
    const { index } = caseOf('buffers of the session')
    expect(recordsIn([answerAt(answers, index).body])).toEqual(recordsIn([bodyOf('buffers of the session')]))
  })
})

/** The recorded server: what a pull of everything gave, its last user made after the rest was serialized. */
async function prepareServer(): Promise<ReplayServer> {
  const server = await startServer(transcript, transcript.dataset)
  const records = recordsIn([bodyOf('buffers of the session')]).map(seedRecord)
  const isLate = ({ serialized }: SeedRecord): boolean => serialized.includes('"username": "plain"')
  server.seed(records.filter((record) => !isLate(record)))
  await server.serialize()
  server.sqlite.exec('update morango_instance set counter = 2')
  server.seed(records.filter(isLate))
  for (const item of chainOf('sync session, valid')) {
    await saveCertificate(server.database.kysely, certificateFromItem(signedItem(item)))
  }
  return server
}

function caseOf(label: string): (typeof cases)[number] {
  const found = cases.find((one) => one.label === label)
  if (found === undefined) throw new Error(`There is no case "${label}"`)
  return found
}

function bodyOf(label: string): unknown {
  return caseOf(label).exchange.response_body
}

function chainOf(label: string): Json[] {
  const { request_body: request } = caseOf(label).exchange
  const chain: unknown = isJson(request) ? JSON.parse(String(request['certificate_chain'])) : undefined
  return Array.isArray(chain) ? chain.filter(isJson) : []
}

function seedRecord({ model_name, source_id, serialized }: Json): SeedRecord {
  return { model_name: String(model_name), source_id: String(source_id), serialized: String(serialized) }
}

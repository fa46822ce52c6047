import { beforeAll, describe, expect, it } from 'vitest'
import { answerAt, differences, shortfalls } from './transcripts-compare.ts'
import { readTranscript } from './transcripts-data.ts'
import type { Json, Transcript } from './transcripts-data.ts'
import { SESSION_EXCEPTIONS } from './transcripts-exceptions.ts'
import { replay } from './transcripts-replay.ts'
import type { Answer } from './transcripts-replay.ts'
import { ourState, pageBodies, recordedState, recordsIn } from './transcripts-state.ts'
import type { State } from './transcripts-state.ts'
import { SERVER_INSTANCE, startServer } from './transcripts-server.ts'
import type { ReplayServer } from './transcripts-server.ts'

describe.each(['async', 'fsicv1', 'legacy', 'noasync'])('the recorded session "%s"', (name) => {
  const transcript = readTranscript(name)
  const { exchanges } = transcript
  const answers: Answer[] = []
  let server: ReplayServer
  let initial: State

  beforeAll(async () => {
    server = await startServer(transcript, transcript.dataset)
    server.seed(transcript.initial_server.store)
    await server.serialize()
    initial = ourState(server.sqlite)
    for (const [index, exchange] of exchanges.entries()) {
      answers.push(await replay(server, transcript.base_url, exchange, exchanges[index + 1]))
    }
  })

  it('began with the same', () => {
    expect(initial).toEqual(recordedState(transcript.initial_server))
  })

  it.each(exchanges.map((exchange, index) => ({ index, ...exchange })))(
    '$index: $method $path',
    ({ index, ...exchange }) => {
      const answer = answerAt(answers, index)
      const exception = SESSION_EXCEPTIONS[name]?.[index]
      const problems = exception === undefined ? differences(exchange, answer) : shortfalls(answer, exception)
      expect(problems).toEqual([])
    },
  )

  it('gave the same records', () => {
    const [recorded, ours] = pageBodies(exchanges, answers)
    expect(recordsIn(ours)).toEqual(recordsIn(recorded))
  })

  it('left the same', () => {
    const ours = ourState(server.sqlite)
    // In "noasync" the original merged nothing.
    const expected =
      name === 'noasync' ? { ...ours, app: bothSides(transcript) } : recordedState(transcript.final_server)
    expect(ours).toEqual(expected)
  })
})

describe('the recorded session "certpush"', () => {
  const transcript = readTranscript('certpush')
  const recorded = [...transcript.exchanges, ...transcript.cases.map(({ exchange }) => exchange)]
  const answers: Answer[] = []
  let server: ReplayServer

  beforeAll(async () => {
    server = await startServer(transcript, transcript.dataset_of_server, transcript.dataset)
    const { store } = transcript.final_server
    server.seed(store.filter((row) => row.last_saved_instance === SERVER_INSTANCE))
    await server.serialize()
    for (const [index, exchange] of recorded.entries()) {
      answers.push(await replay(server, transcript.base_url, exchange, recorded[index + 1]))
    }
  })

  it.each(recorded.map((exchange, index) => ({ index, ...exchange })))(
    '$index: $method $path',
    ({ index, ...exchange }) => {
      expect(differences(exchange, answerAt(answers, index))).toEqual([])
    },
  )

  it('left the same', () => {
    expect(ourState(server.sqlite)).toEqual(recordedState(transcript.final_server))
  })
})

/** The rows that the server has when everything of both sides has been merged. */
function bothSides({
  initial_server: server,
  client_before_second_session: client,
}: Transcript): State['app'] {
  const ours = recordedState(server).app
  const theirs = Object.entries(recordedState(client).app)
  return Object.fromEntries(
    theirs.map(([table, rows]) => [
      table,
      [...new Map([...rows, ...(ours[table] ?? [])].map((row) => [String(row['id']), row])).values()].sort(
        byId,
      ),
    ]),
  )
}

function byId(a: Json, b: Json): number {
  return String(a['id']) < String(b['id']) ? -1 : 1
}

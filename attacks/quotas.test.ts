import { certificateToItem } from '../src/core/certificate.ts'
import { type Attacker, hex } from './attacker.ts'
import { type Attempt, describeAttempts } from './attempts.ts'
import type { Answer } from './wire.ts'
import type { World } from './world.ts'

const LIMITS = {
  syncSessions: { perCertificate: 4, perBranch: 6, perAddress: 10, inAll: 12 },
  nonces: { perAddress: 20, inAll: 30 },
  bufferedRecords: { perCertificate: 50, perBranch: 60, perAddress: 80, inAll: 100 },
  bufferedBytes: { perCertificate: 100_000, perBranch: 120_000, perAddress: 150_000, inAll: 200_000 },
  transfersPerSession: 5,
  recordsPerPush: 1000,
  certificatesPerUser: 5,
  queueMs: 1,
} as const

/** Does the same until it is refused; the last answer counts. */
async function again(times: number, once: (number: number) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let number = 0; number < times; number++) {
    // oxlint-disable-next-line no-await-in-loop
    const answer = await once(number)
    answers.push(answer)
    if (answer.status >= 400) break
  }
  return answers
}

async function openBelow(a: Attacker): Promise<Answer> {
  const { certificate, key } = await a.below()
  return await a.open({ chain: [...a.chain, certificateToItem(certificate)], signWith: key.privateKeyPem })
}

async function fill(a: Attacker, { root }: World, bytes: number): Promise<Answer> {
  const { id: session } = await a.open()
  const { id } = await a.transfer({ filter: `${root}:shared:sample`, push: true, session })
  await a.patch(id, { records_total: 40 })
  const records = Array.from({ length: 30 }, () => {
    const record = a.record({ transfer_session: id, serialized: `{"text": "${'x'.repeat(bytes)}"}` })
    return { ...record, rmcb_list: [] }
  })
  return await a.sendChunk(id, records)
}

const sessions: readonly Attempt[] = [
  {
    name: 'opens more sessions than a certificate may have',
    as: 'sampler',
    run: (a) => again(8, () => a.open()),
    outcome: [429],
  },
  {
    name: 'opens more sessions with certificates below its own',
    as: 'sampler',
    run: (a) => again(12, () => openBelow(a)),
    outcome: [429],
  },
  {
    name: 'opens a session after that, when it has closed its own',
    as: 'sampler',
    run: (a) => a.open(),
    outcome: 'harmless',
  },
  {
    name: 'asks for more transfers than a session may have',
    as: 'sampler',
    run: (a, { root }) =>
      again(8, async () => {
        const started = await a.transfer({ filter: `${root}:shared:sample` })
        if (started.status < 300) await a.end(started.id)
        return started
      }),
    outcome: [429],
  },
  {
    name: 'asks for more nonces than an address may have, and still gets them',
    as: 'nobody',
    run: (a) => again(60, () => a.send({ method: 'POST', path: 'nonces/' })),
    outcome: 'harmless',
  },
  {
    name: 'takes the nonces of others away',
    as: 'sampler',
    run: async (a) => {
      await again(40, () => a.send({ method: 'POST', path: 'nonces/' }))
      return await a.open()
    },
    outcome: 'harmless',
  },
  {
    name: 'announces more records than a push may have',
    as: 'sampler',
    run: async (a, { root }) => {
      const { id } = await a.transfer({ filter: `${root}:shared:sample`, push: true })
      return await a.patch(id, { records_total: 1001 })
    },
    outcome: 'refused',
  },
  {
    name: 'fills buffers with records that it never ends',
    as: 'sampler',
    run: (a, world) => again(4, () => fill(a, world, 10)),
    outcome: [429],
  },
  {
    name: 'fills buffers with bytes that it never ends',
    as: 'sampler',
    run: (a, world) => again(4, () => fill(a, world, 3000)),
    outcome: [429],
  },
  {
    name: 'asks for more certificates than a user may have',
    as: 'sampler',
    run: (a) => again(8, () => a.request({})),
    outcome: [429],
    allows: (difference) => difference.startsWith('certificates: + '),
  },
]

const passwords: readonly Attempt[] = [
  {
    name: 'guesses a password',
    as: 'nobody',
    run: (a) => again(8, async (number) => refusedAs401(await a.request({}, `bob:${number}`))),
    outcome: [429],
  },
  {
    name: 'has the right one at last, too late',
    as: 'nobody',
    run: (a, { root, bob }) =>
      a.request(
        {
          scope_definition: 'one-person',
          scope_params: JSON.stringify({ dataset_id: root, person_id: bob }),
        },
        'bob:bob',
      ),
    outcome: [429],
  },
  {
    name: 'writes the name in capitals and with blanks meanwhile',
    as: 'nobody',
    run: (a) => again(8, async (number) => refusedAs401(await a.request({}, `username=bob:${number}`))),
    outcome: [401, 429],
  },
  {
    name: 'guesses at many names',
    as: 'nobody',
    run: (a) => again(40, async () => refusedAs401(await a.request({}, `${hex()}:x`))),
    outcome: [429],
  },
]

/** Goes on after a wrong password. */
function refusedAs401(answer: Answer): Answer {
  return answer.status === 401 ? { ...answer, status: 299 } : answer
}

describeAttempts('quotas', { 'room on the server': sessions, passwords }, { limits: LIMITS })

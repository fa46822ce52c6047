import { expect } from 'vitest'
import { STAGES } from '../../../src/core/stages.ts'
import type { Attempt, Kind, Outcome } from '../attempt.ts'
import { altering, instead, json, type Tamper, TRANSFER_CALLS } from '../layer.ts'
import type { Scene } from '../scene.ts'
import { FILTER, root } from '../world.ts'

const FAILS: Outcome = { fails: ['peer-protocol', 'transfer-errored', 'peer-error', 'stage-failed'] }
const HOUR_MS = 60 * 60 * 1000
const [POST, GET, PATCH] = TRANSFER_CALLS

function saying(
  members: Readonly<Record<string, unknown>>,
  names: readonly string[] = TRANSFER_CALLS,
): Tamper {
  return altering(names, (body) => ({ ...body, ...members }))
}

const never: readonly Attempt[] = STAGES.filter((stage) => stage !== 'cleanup').map((stage) => ({
  name: `is ${stage} for ever`,
  outcome: FAILS,
  requests: 200,
  // An hour goes by with each look.
  tamper: ({ world: { time } }) =>
    altering(TRANSFER_CALLS, (body, { name }) => {
      if (name === GET) time.advance(HOUR_MS)
      return { ...body, transfer_stage: stage, transfer_stage_status: 'started' }
    }),
}))

const back: readonly Attempt[] = STAGES.filter((stage) => stage !== 'cleanup').flatMap((stage) =>
  (['pending', 'completed'] as const).map((status) => ({
    name: `rests at ${stage}, ${status}, whatever is asked`,
    // Who says that all is done is asked for no more.
    outcome: stage === 'deserializing' && status === 'completed' ? ('harmless' as const) : FAILS,
    requests: 250,
    tamper: ({ world: { time } }: Scene) =>
      altering(TRANSFER_CALLS, (body, { name }) => {
        if (name === GET) time.advance(HOUR_MS)
        return { ...body, transfer_stage: stage, transfer_stage_status: status }
      }),
  })),
)

const nonsense: readonly Attempt[] = [
  ['an unknown stage', { transfer_stage: 'looting' }],
  ['a stage that is a path', { transfer_stage: '../cleanup' }],
  ['a stage that is a number', { transfer_stage: 3 }],
  ['a stage named as a prototype', { transfer_stage: '__proto__' }],
  ['no stage', { transfer_stage: null }],
  ['an unknown status', { transfer_stage_status: '\u001b[31m' }],
  ['that it failed', { transfer_stage_status: 'errored' }],
].map(([what, members]) => ({
  name: `says ${String(what)}`,
  outcome: FAILS,
  tamper: () => saying(typeof members === 'object' ? members : {}),
}))

const filters: readonly Attempt[] = [
  ['the whole dataset', root.certificate.id],
  ['another partition', `${root.certificate.id}:u2`],
  ['a part of it', `${FILTER}:note`],
  ['it and another', `${FILTER}\n${root.certificate.id}:u2`],
  ['nothing', ''],
  ['other letters', FILTER.toUpperCase()],
].map(([what, filter]) => ({
  name: `answers for another filter: ${String(what)}`,
  outcome: { fails: ['peer-protocol'] },
  tamper: () => saying({ filter }),
}))

const counts: readonly Attempt[] = [
  {
    name: 'says that all has come before any was sent',
    outcome: 'harmless',
    tamper: () => saying({ records_transferred: 2 ** 31 - 1 }),
  },
  ...[-1, 1.5, 'many', 2 ** 31, true].map((count): Attempt => ({
    name: `says that ${JSON.stringify(count)} have come`,
    outcome: { fails: ['peer-protocol'] },
    tamper: () => saying({ records_transferred: count }),
  })),
  {
    name: 'says that all has come, once a chunk was lost',
    outcome: FAILS,
    tamper: () => (call, honest) => {
      if (call.name === 'POST buffers' && call.nth === 1) return { raw: (response) => response.destroy() }
      return saying({ records_transferred: 2 ** 31 - 1 })(call, honest)
    },
  },
  {
    name: 'takes chunks and keeps none of them',
    outcome: FAILS,
    requests: 200,
    tamper: () => instead('POST buffers', json('', 201)),
  },
  {
    name: 'loses every chunk on the way',
    outcome: { fails: ['network', 'peer-error'] },
    requests: 200,
    tamper: () => instead('POST buffers', { raw: (response) => response.destroy() }),
  },
]

const abilities: readonly Attempt[] = [
  {
    name: 'can something else each time it is asked',
    outcome: 'harmless',
    tamper: () =>
      altering('GET morangoinfo', (body, { nth }) => ({
        ...body,
        capabilities: nth % 2 === 1 ? ['ASYNC_OPERATIONS', 'FSIC_V2_FORMAT'] : ['PACKED_BUFFERS'],
      })),
  },
  {
    name: 'can what it cannot',
    outcome: 'harmless',
    tamper: () =>
      altering('GET morangoinfo', (body) => {
        const { capabilities } = body
        const real = Array.isArray(capabilities) ? capabilities : []
        return { ...body, capabilities: [...real, ...STAGES, '__proto__', '\u001b[31m', 'PACKED_BUFFERS'] }
      }),
  },
  ...[5, 'ASYNC_OPERATIONS', [5], { a: 1 }, Array.from({ length: 1001 }, () => 'x')].map(
    (capabilities, index): Attempt => ({
      name: `can what is no list of names (${index})`,
      outcome: { fails: ['peer-protocol'] },
      opens: false,
      tamper: () => altering('GET morangoinfo', (body) => ({ ...body, capabilities })),
    }),
  ),
]

const midway: readonly Attempt[] = [
  {
    name: 'forgets the session midway',
    outcome: FAILS,
    tamper: () => instead('GET buffers', { status: 404, headers: {}, body: '' }),
  },
  {
    name: 'stops the client midway, and can something else by then',
    outcome: 'harmless',
    tamper: () => {
      let run = 0
      return (call, honest) => {
        if (call.name === 'GET morangoinfo') run++
        if (run === 1 && call.name === 'GET buffers') return { raw: (response) => response.destroy() }
        if (run !== 2) return honest()
        return altering('GET morangoinfo', (body) => ({ ...body, capabilities: [] }))(call, honest)
      }
    },
    client: { retries: 0 },
    requests: 150,
    run: async (peer, { world: { client }, fresh }) => {
      await client.morango.sync(peer, { filter: FILTER }).catch(() => undefined)
      expect(await client.row('book', fresh[0])).toBeUndefined()
      await client.morango.sync(peer, { filter: FILTER }).catch(() => undefined)
      await client.morango.sync(peer, { filter: FILTER })
    },
  },
  {
    name: 'changes the total between two runs of a transfer',
    outcome: 'harmless',
    client: { retries: 0 },
    requests: 150,
    tamper: () => {
      let run = 0
      return (call, honest) => {
        if (call.name === 'GET morangoinfo') run++
        if (run === 1 && call.name === 'GET buffers' && call.nth > 1)
          return { raw: (response) => response.destroy() }
        return run === 2 ? saying({ records_total: 1 }, [POST, GET, PATCH])(call, honest) : honest()
      }
    },
    run: async (peer, { world: { client } }) => {
      for (let time = 0; time < 2; time++) {
        // oxlint-disable-next-line no-await-in-loop
        await client.morango.sync(peer, { filter: FILTER }).catch(() => undefined)
      }
      await client.morango.sync(peer, { filter: FILTER })
    },
  },
]

/** How a transfer stands, as the server says. */
export const stages: Kind = {
  kind: 'in the midst of a transfer',
  wire: true,
  attempts: [...never, ...back, ...nonsense, ...filters, ...counts, ...abilities, ...midway],
}

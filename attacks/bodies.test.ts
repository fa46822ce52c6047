import { gzipSync } from 'node:zlib'
import { type Attacker, type AttackerName, hex, letters } from './attacker.ts'
import { type Attempt, describeAttempts, type Outcome } from './attempts.ts'
import type { Answer, Sent } from './wire.ts'
import type { World } from './world.ts'

const GZIP = { 'content-type': 'application/gzip' }
const PACKED = { 'content-type': 'application/vnd.morango.packed+gzip' }

/** A push that waits for records, of somebody who may push. */
async function ready(a: Attacker, { root }: World, total = 1): Promise<string> {
  const { id } = await a.transfer({ filter: `${root}:shared:sample`, push: true })
  await a.patch(id, { records_total: total })
  return id
}

/** A body for a transfer that is there: as it is, and zipped. */
function bodies(
  what: string,
  body: (a: Attacker, transfer: string) => string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Attempt[] {
  const attempt = (name: string, zipped: boolean): Attempt => ({
    name,
    as: 'sampler',
    run: async (a, world) => {
      const id = await ready(a, world)
      const made = body(a, id)
      return await a.sendChunk(
        id,
        [],
        zipped ? { body: gzipSync(made), headers: GZIP } : { body: made, headers },
      )
    },
    outcome: 'refused',
  })
  const plain = attempt(`sends ${what}`, false)
  return Object.keys(headers).length > 0 ? [plain] : [plain, attempt(`sends ${what}, zipped`, true)]
}

const first = (a: Attacker, id: string): string => {
  const record = a.record({ transfer_session: id })
  return JSON.stringify({
    ...record,
    rmcb_list: record.rmcb_list.map((entry) => ({ ...entry, transfer_session: id })),
  })
}

const keys = (count: number): string => Array.from({ length: count }, (_, n) => `"k${n}":1`).join(',')

/** A packed chunk in which one record has so many entries of its history. */
function packed(a: Attacker, id: string, entries: number): Uint8Array {
  const history = `[${'[0,1],'.repeat(entries - 1)}[0,1]]`
  const { partition, source_id: source, last_saved_instance: instance } = a.record({})
  return gzipSync(
    `{"transfer_session":"${id}","profile":"survey","models":["sample"],"partitions":["${partition}"],` +
      `"instances":["${instance}"],"model":[0],"partition":[0],"instance":[0],"counter":[1],` +
      `"source_id":["${source}"],"serialized":["{}"],"rare":{"0":{"history":${history}}}}`,
  )
}

/** Chunks of the packed form that do not hold together. */
const PACKED_LIES: readonly (readonly [what: string, change: Readonly<Record<string, unknown>>])[] = [
  ['places that are not there', { model: [7] }],
  ['places below zero', { partition: [-1] }],
  ['places that are fractions', { instance: [0.5] }],
  ['a place that is a length', { model: ['length'] }],
  ['lists of different lengths', { counter: [1, 2] }],
  ['a counter beyond 2^31', { counter: [2 ** 31] }],
  ['rare things of records that are not there', { rare: { 5: { deleted: true } } }],
  ['rare things of a prototype', { rare: JSON.parse('{"__proto__": {"deleted": true}}') }],
  ['a partition elsewhere', { partitions: ['elsewhere'] }],
  ['an id of its choice', { rare: { 0: { id: letters('a') } } }],
  ['another transfer', { transfer_session: letters('a') }],
  ['no lists', { models: 'sample', partitions: {}, instances: null }],
]

const bombs: readonly Attempt[] = [
  ...bodies('millions of empty lists', () => `[${'[],'.repeat(3_000_000)}[]]`),
  ...bodies(
    'millions of empty lists after a record',
    (a, id) => `[${first(a, id)},${'[],'.repeat(3_000_000)}[]]`,
  ),
  ...bodies('lists in lists', () => '['.repeat(1_000_000)),
  ...bodies('objects in objects', () => '{"a":'.repeat(500_000)),
  ...bodies('lists in a record', (a, id) => first(a, id).replace('"{', `${'['.repeat(100_000)}"{`)),
  ...bodies('many keys in a record', (a, id) => `[${first(a, id).slice(0, -1)},${keys(300_000)}}]`),
  ...bodies('a number of many digits', () => `[${'1'.repeat(1_000_000)}]`),
  ...bodies('a text without end', () => `["${'x'.repeat(10 << 20)}`),
  ...bodies('10,001 records', (a, id) => `[${Array(10_001).fill(first(a, id)).join(',')}]`),
  ...bodies('escapes without end', () => `["${'\\u0000'.repeat(1_000_000)}"]`),
  ...bodies('nothing', () => ''),
  ...bodies('an empty list', () => '[]'),
  ...bodies('a list of null', () => '[null]'),
  ...bodies('a text', () => '"x"'),
  ...bodies('two lists', (a, id) => `[${first(a, id)}][]`),
  ...bodies('bytes that are no text', () => Uint8Array.from([0x5b, 0xff, 0xfe, 0x5d])),
  ...bodies('gzip that is none', () => 'x'.repeat(1000), GZIP),
  ...bodies('gzip that is cut', (a, id) => gzipSync(`[${first(a, id)}]`).subarray(0, 60), GZIP),
  ...bodies('gzip in gzip', (a, id) => gzipSync(gzipSync(`[${first(a, id)}]`)), GZIP),
  ...bodies('100 MB of spaces in gzip', () => gzipSync(' '.repeat(100 << 20)), GZIP),
  ...bodies(
    'a record of 60 MB in gzip',
    (a, id) => gzipSync(`[${first(a, id).replace('planted', 'x'.repeat(60 << 20))}]`),
    GZIP,
  ),
  ...bodies('a body of 40 MB', () => ' '.repeat(40 << 20), { 'content-type': 'application/json' }),
  ...bodies('a packed chunk of a million histories', (a, id) => packed(a, id, 1_000_000), PACKED),
  ...bodies('a packed chunk of 1,001 histories', (a, id) => packed(a, id, 1001), PACKED),
  ...bodies('a packed chunk that is a list', () => gzipSync('[]'), PACKED),
  ...bodies('a packed chunk that is a bomb', () => gzipSync('[[],'.repeat(10_000_000)), PACKED),
  ...PACKED_LIES.flatMap(([what, change]) =>
    bodies(
      `a packed chunk with ${what}`,
      (a, id) => {
        const { partition, source_id: source, last_saved_instance: instance } = a.record({})
        const chunk = {
          transfer_session: id,
          profile: 'survey',
          models: ['sample'],
          partitions: [partition],
          instances: [instance],
          model: [0],
          partition: [0],
          instance: [0],
          counter: [1],
          source_id: [source],
          serialized: ['{}'],
          rare: {},
        }
        return gzipSync(JSON.stringify({ ...chunk, ...change }))
      },
      PACKED,
    ),
  ),
]

/** A request of somebody who has nothing. */
function asks(
  what: string,
  request: Sent,
  outcome: Outcome = 'refused',
  as: AttackerName = 'nobody',
): Attempt {
  return { name: what, as, run: (a) => a.send(request), outcome }
}

const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Sent => ({
  method: 'POST',
  path,
  body,
  headers,
})

const RESOURCES = [
  'certificates/',
  'certificatechain/',
  'syncsessions/',
  'transfersessions/',
  'buffers/',
] as const

const strangers: readonly Attempt[] = [
  ...RESOURCES.flatMap((path) => [
    asks(`posts lists in lists to ${path}`, post(path, '['.repeat(1_000_000))),
    asks(`posts objects in objects to ${path}`, post(path, '{"a":'.repeat(200_000))),
    asks(`posts 2 MB to ${path}`, post(path, `{"a": "${'x'.repeat(2 << 20)}"}`)),
    asks(
      `posts a prototype to ${path}`,
      post(path, '{"__proto__": {"id": 1}, "constructor": {"prototype": {}}}'),
    ),
    asks(`posts null to ${path}`, post(path, 'null')),
    asks(`posts no JSON to ${path}`, post(path, '{')),
    asks(`posts XML to ${path}`, post(path, '<a/>', { 'content-type': 'application/xml' })),
    asks(`posts no type to ${path}`, post(path, '{}', { 'content-type': '' })),
    asks(
      `posts in another charset to ${path}`,
      post(path, '{}', { 'content-type': 'application/json; charset=utf-16' }),
    ),
    asks(`posts what it says is gzip to ${path}`, post(path, '{}', { 'content-encoding': 'gzip' })),
    asks(`deletes ${path}`, { method: 'DELETE', path }),
    asks(`patches ${path}`, { method: 'PATCH', path, body: {} }),
  ]),
  asks('posts a bomb without a session', post('buffers/', gzipSync(`[${'[],'.repeat(10_000_000)}[]]`), GZIP)),
  asks('posts a packed bomb without a session', post('buffers/', gzipSync('['.repeat(10_000_000)), PACKED)),
  asks('names a transfer that is not there', post(`buffers/?transfer_session_id=${letters('a')}`, '[')),
  asks(
    'names two transfers',
    post(`buffers/?transfer_session_id=${letters('a')}&transfer_session_id=${letters('b')}`, '['),
  ),
  asks('names another host', { path: 'morangoinfo/1/', headers: { host: 'evil.example' } }, [421]),
  asks(
    'names a host with a path',
    { path: 'morangoinfo/1/', headers: { host: '127.0.0.1/../evil' } },
    [400, 421],
  ),
  asks(
    'names a host that only ends well',
    { path: 'morangoinfo/1/', headers: { host: 'localhost.evil.example' } },
    [421],
  ),
  ...(['https://evil.example', 'null', 'http://127.0.0.1.evil.example', 'file://'] as const).map((origin) =>
    asks(`asks for a nonce from a page of ${origin}`, {
      method: 'POST',
      path: 'nonces/',
      headers: { origin },
    }),
  ),
  asks('asks for a nonce from another site', {
    method: 'POST',
    path: 'nonces/',
    headers: { 'sec-fetch-site': 'cross-site' },
  }),
  ...(
    ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain'] as const
  ).flatMap((type) => [
    asks(`posts a form to nonces/ as ${type}`, post('nonces/', 'a=b', { 'content-type': type })),
    asks(`posts a form to syncsessions/ as ${type}`, post('syncsessions/', 'id=x', { 'content-type': type })),
    asks(`posts a form to buffers/ as ${type}`, post('buffers/', '[]', { 'content-type': type })),
  ]),
  ...(
    [
      '/',
      '/etc/passwd',
      '/api/morango/v1/',
      '/api/morango/v1/../../x/',
      '/api/morango/v1/__proto__/',
      '/api/morango/v1/%2e%2e/',
      '/api/morango/v1/nonces/1/',
      '/api/morango/v1/buffers/1/',
    ] as const
  ).map((path) => asks(`looks at ${path}`, { path })),
  ...(['TRACE', 'PUT', 'PROPFIND', 'SEARCH'] as const).map((method) =>
    asks(`uses ${method}`, { method, path: 'certificates/' }),
  ),
  asks('sends 10,000 characters in a query', { path: `certificates/?profile=${'x'.repeat(10_000)}` }),
  asks(
    'sends a thousand capabilities',
    { path: 'morangoinfo/1/', headers: { 'x-morango-capabilities': 'X '.repeat(4000) } },
    'harmless',
  ),
  asks(
    'sends capabilities of a prototype',
    { path: 'morangoinfo/1/', headers: { 'x-morango-capabilities': '__proto__ constructor' } },
    'harmless',
  ),
]

/** Calls in another order than they come in. */
function disorder(
  what: string,
  run: (a: Attacker, world: World) => Promise<Answer | readonly Answer[]>,
  outcome: Outcome,
): Attempt {
  return { name: what, as: 'sampler', run, outcome }
}

const ASYNC = { 'x-morango-capabilities': 'ASYNC_OPERATIONS FSIC_V2_FORMAT' }

async function started(a: Attacker, { root }: World, push: boolean): Promise<string> {
  const { id } = await a.transfer({
    filter: `${root}:shared:sample`,
    push,
    capabilities: 'ASYNC_OPERATIONS FSIC_V2_FORMAT',
  })
  return id
}

const order: readonly Attempt[] = [
  disorder(
    'sends records before they are announced',
    async (a, world) => {
      const id = await started(a, world, true)
      return await a.sendChunk(id, [JSON.parse(first(a, id))])
    },
    'refused',
  ),
  disorder(
    'reads before anything is queued',
    async (a, world) => a.page(await started(a, world, false)),
    'harmless',
  ),
  disorder(
    'has a push merged before anything came',
    async (a, world) => {
      const id = await started(a, world, true)
      return await a.send({
        method: 'PATCH',
        path: `transfersessions/${id}/`,
        headers: ASYNC,
        body: { transfer_stage: 'deserializing' },
      })
    },
    [200, 400, 409],
  ),
  disorder(
    'goes back to the beginning',
    async (a, world) => {
      const id = await ready(a, world)
      return await a.patch(id, { transfer_stage: 'initializing' })
    },
    'harmless',
  ),
  ...(['serialising', '', null, 7, '__proto__', 'cleanup;', ['queuing']] as const).map((stage) =>
    disorder(
      `asks for the stage ${JSON.stringify(stage)}`,
      async (a, world) => {
        const id = await ready(a, world)
        return await a.patch(id, { transfer_stage: stage })
      },
      [200, 400],
    ),
  ),
  ...([-1, 1.5, 2 ** 31, 10_000_001, '1', Number.NaN, {}, true] as const).map((total) =>
    disorder(
      `announces ${JSON.stringify(total)} records`,
      async (a, world) => {
        const { id } = await a.transfer({ filter: `${world.root}:shared:sample`, push: true })
        return await a.patch(id, { records_total: total })
        // As the original does, a number in a text is read, and null is read as not given.
      },
      total === '1' || Number.isNaN(total) ? 'harmless' : 'refused',
    ),
  ),
  disorder(
    'sends more than was announced',
    async (a, world) => {
      const id = await ready(a, world)
      return await a.sendChunk(id, [JSON.parse(first(a, id)), JSON.parse(first(a, id))])
    },
    'refused',
  ),
  disorder(
    'lowers what was announced',
    async (a, world) => {
      const id = await ready(a, world, 2)
      await a.sendChunk(id, [JSON.parse(first(a, id))])
      return await a.patch(id, { records_total: 0 })
    },
    'refused',
  ),
  disorder(
    'sends one record twice, then ends',
    async (a, world) => {
      const id = await ready(a, world)
      const chunk = [JSON.parse(first(a, id))]
      return [await a.sendChunk(id, chunk), await a.sendChunk(id, chunk), await a.end(id)]
    },
    'harmless',
  ),
  disorder(
    'sends the same record twice in a chunk',
    async (a, world) => {
      const id = await ready(a, world)
      const record: object = JSON.parse(first(a, id))
      return await a.sendChunk(id, [record, record])
    },
    [201, 400],
  ),
  disorder(
    'ends a transfer twice',
    async (a, world) => {
      const { id } = await a.transfer({ filter: `${world.root}:shared:sample` })
      return [await a.end(id), await a.end(id)]
    },
    [404],
  ),
  disorder(
    'closes a session twice',
    async (a) => {
      const { id } = await a.open()
      const close: Sent = { method: 'DELETE', path: `syncsessions/${id}/` }
      return [await a.send(close), await a.send(close)]
    },
    [404],
  ),
  disorder(
    'goes on with a session that it closed',
    async (a, world) => {
      const { id } = await a.open()
      await a.send({ method: 'DELETE', path: `syncsessions/${id}/` })
      return await a.transfer({ filter: `${world.root}:shared:sample`, session: id })
    },
    'refused',
  ),
  disorder(
    'sends records after the end',
    async (a, world) => {
      const id = await ready(a, world, 0)
      await a.end(id)
      return await a.sendChunk(id, [JSON.parse(first(a, id))])
    },
    'refused',
  ),
  disorder(
    'opens two transfers of one way',
    async (a, world) => {
      const filter = `${world.root}:shared:sample`
      const one = await a.transfer({ filter })
      const other = await a.transfer({ filter, id: hex() })
      await a.end(one.id)
      return other
    },
    'harmless',
  ),
  disorder(
    'closes its session while a push is merged',
    async (a, world) => {
      const id = await ready(a, world)
      await a.sendChunk(id, [JSON.parse(first(a, id))])
      const session = await a.session()
      const [ended, closed] = await Promise.all([
        a.send({ method: 'DELETE', path: `transfersessions/${id}/`, headers: ASYNC }),
        a.send({ method: 'DELETE', path: `syncsessions/${session}/` }),
      ])
      return [ended, closed]
    },
    [204, 404],
  ),
  disorder(
    'asks for ten transfers at once',
    async (a, world) => {
      const filter = `${world.root}:shared:sample`
      await a.session()
      return await Promise.all(Array.from({ length: 10 }, () => a.transfer({ filter, push: true })))
    },
    [201, 400],
  ),
  ...(['-1', '0', '1e9', '99999999999999999999', 'x', '%00', "1' or 1=1", '1.5'] as const).map((number) =>
    disorder(
      `reads a page of ${number} from ${number}`,
      async (a, world) => {
        const { id } = await a.transfer({ filter: `${world.root}:shared:sample` })
        const page = await a.page(
          id,
          `&limit=${encodeURIComponent(number)}&offset=${encodeURIComponent(number)}`,
        )
        return [page, await a.end(id)]
      },
      'harmless',
    ),
  ),
]

describeAttempts('bodies and calls', {
  bombs,
  'callers without a certificate': strangers,
  'calls in disorder': order,
})

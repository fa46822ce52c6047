import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { buffer, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const SOURCE = new URL('../../src/', import.meta.url).href

/** What a run of the command left. */
export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The command while it runs. */
export interface Running {
  readonly child: ChildProcess
  /** The first line on its standard output; an error when there is none. */
  firstLine(): Promise<string>
  finished: Promise<Finished>
}

const CONFIG = `
import { defineConfig } from '${SOURCE}config.ts'
import { defineProfile, model, scope } from '${SOURCE}index.ts'
import { sqlite } from '${SOURCE}sqlite.ts'

const gazetteer = defineProfile({
  name: 'gazetteer',
  models: { place: model({ table: 'place', id: 'source-id', partition: '\${country_id}:place' }) },
  scopes: {
    'full-country': scope({ root: 'country_id', readWrite: '\${country_id}' }),
    'country-member': scope({ readWrite: '\${country_id}' }),
    'place-reader': scope({ read: '\${country_id}:place' }),
  },
})

export default defineConfig({
  database: () => sqlite('field.db'),
  profiles: [gazetteer],
  allowCertificatePushing: true,
  authorize: ({ username, password }, { scopeDefinition, parentId, isWithin }) => {
    if (username !== 'ana' || password !== 'secret') return 'unauthenticated'
    return scopeDefinition === 'country-member' && isWithin(parentId)
  },
})
`

/** A configuration that imports the package, importing its sources instead. */
export function fromSources(config: string): string {
  return config.replaceAll(/from 'morango(?:\/(\w+))?'/gu, (_all, entry: string | undefined) => {
    return `from '${SOURCE}${entry ?? 'index'}.ts'`
  })
}

/** A directory for devices, gone after `close()`. */
export function createField(): { device(name: string): string; empty(): string; close(): void } {
  const root = mkdtempSync(join(tmpdir(), 'morango-cli-'))
  return {
    device(name) {
      const directory = join(root, name)
      mkdirSync(directory)
      writeFileSync(join(directory, 'morango.config.ts'), CONFIG)
      sql(directory, (db) =>
        db.exec('create table place (id text primary key, country_id text not null, name text unique)'),
      )
      return directory
    },
    empty: () => mkdtempSync(join(root, 'empty-')),
    close: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** Works on a device's database as its application would. */
export function sql<T>(directory: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(directory, 'field.db'))
  try {
    return work(db)
  } finally {
    db.close()
  }
}

/** Adds places, their ids from `first` on. */
export function addPlaces(directory: string, country: string, names: readonly string[], first = 1): void {
  sql(directory, (db) => {
    const insert = db.prepare('insert into place (id, country_id, name) values (?, ?, ?)')
    names.forEach((name, i) => insert.run((first + i).toString(16).padStart(32, '0'), country, name))
  })
}

/** Starts the real command. */
export function start(
  cwd: string,
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...options.env },
    stdio: 'pipe',
  })
  child.stdin.on('error', () => {})
  child.stdin.end(options.input)
  let line = ''
  const first = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      line += chunk.toString()
      if (line.includes('\n')) resolve(line.slice(0, line.indexOf('\n')))
    })
    child.once('close', () => reject(new Error(`The command ended without a line: ${line}`)))
  })
  first.catch(() => {})
  const finished = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr]) => ({ code: child.exitCode, stdout, stderr }),
  )
  return { child, firstLine: () => first, finished }
}

/** Runs the real command to its end. */
export function run(
  cwd: string,
  args: readonly string[],
  options?: Parameters<typeof start>[2],
): Promise<Finished> {
  return start(cwd, args, options).finished
}

/** Runs a command that must succeed, and gives what its `--json` printed. */
export async function json(
  cwd: string,
  args: readonly string[],
  options?: Parameters<typeof start>[2],
): Promise<unknown> {
  const { code, stdout, stderr } = await run(cwd, [...args, '--json'], options)
  if (code !== 0 || stderr !== '') throw new Error(`morango ${args.join(' ')}: ${code}: ${stderr}${stdout}`)
  return JSON.parse(stdout)
}

/** A way to a peer that can stop in the midst of a pull. */
export interface Gate {
  readonly url: string
  /** From now on requests for records are not answered; resolves when the first one has come. */
  hold(): Promise<void>
  open(): void
  close(): Promise<void>
}

/** Puts a {@link Gate} in front of a server. */
export async function createGate(target: string): Promise<Gate> {
  let held: (() => void) | undefined
  const server = createServer((request, response) => {
    if (held !== undefined && request.method === 'GET' && request.url?.includes('/buffers/') === true) held()
    else void forward(target, request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/`,
    hold: () =>
      new Promise((resolve) => {
        held = resolve
      }),
    open: () => {
      held = undefined
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function forward(target: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers = new Headers()
  for (const name of ['content-type', 'authorization', 'x-morango-capabilities']) {
    const value = request.headers[name]
    if (typeof value === 'string') headers.set(name, value)
  }
  const body = await buffer(request)
  const reply = await fetch(new URL(request.url ?? '/', target), {
    method: request.method ?? 'GET',
    headers,
    ...(body.length > 0 && { body: new Uint8Array(body) }),
  })
  response.writeHead(reply.status, {
    'content-type': reply.headers.get('content-type') ?? 'application/json',
  })
  response.end(new Uint8Array(await reply.arrayBuffer()))
}

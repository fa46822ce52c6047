import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import process from 'node:process'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { run } from '../../src/cli/run.ts'
import { printable, printableJson } from '../../src/core/printable.ts'
import { addPlaces, createField, sql } from './support.ts'

/** An escape sequence, C1, a bell, directions, zero widths, separators, a tag, half a pair. */
const NASTY =
  'x\u001B[35m\u001B]0;title\u0007\u009B2J\u007F\u202Egnp.exe\u2066\u200B\u200D\uFEFF\u2028\u2029\u{E0041}\u00AD\r\ny'
const FORBIDDEN = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u

const SESSION = `id, profile, is_server, active, client_certificate_id, server_certificate_id, connection_path, client_ip,
  server_ip, client_instance_id, client_instance, server_instance_id, server_instance, capabilities, created_at,
  last_activity_at`
const CERTIFICATE = `id, parent_id, profile, salt, scope_definition_id, scope_version, scope_params, public_key,
  serialized, signature, private_key`

const field = createField()
const before = process.cwd()
let device = ''
const ID = '1'.padStart(32, '0')

beforeAll(async () => {
  device = field.device('nasty')
  process.chdir(device)
  expect((await shown(['migrate'])).code).toBe(0)
  const made = await shown(['cert', 'create-root', 'full-country', '--json'])
  const { id: root }: { id: string } = JSON.parse(made.stdout)
  addPlaces(device, root, ['Here'])
  await shown(['serialize'])
  sql(device, (db) => {
    const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
    db.exec(`
      update morango_store set partition = partition || ${text(NASTY)};
      insert into morango_sync_session (${SESSION}) select '${'a'.repeat(32)}', 'gazetteer', 1, 0, id, id, ${text(`http://${NASTY}/`)},
        ${text(NASTY)}, ${text(NASTY)}, '${'b'.repeat(32)}', ${text(JSON.stringify({ id: 'b'.repeat(32), hostname: NASTY, platform: NASTY }))},
        '${'c'.repeat(32)}', ${text(JSON.stringify({ hostname: NASTY }))}, '', '2026-01-01', '2026-01-02'
        from morango_certificate;
      insert into morango_sync_session (${SESSION}) select '${'d'.repeat(32)}', 'gazetteer', 0, 1, id, id, ${text(`http://${NASTY}/`)},
        ${text(NASTY)}, ${text(NASTY)}, '${'b'.repeat(32)}', '{}',
        '${'e'.repeat(32)}', ${text(JSON.stringify({ hostname: NASTY }))}, '', '2026-01-01', '2026-01-02'
        from morango_certificate;
      insert into morango_attempt values (${text(`http://${NASTY}/`)}, 'gazetteer', '2026-01-01', null, 'network', ${text(NASTY)});
      insert into morango_certificate (${CERTIFICATE}) select '${'9'.repeat(32)}', id, profile, '', ${text(NASTY)}, 1,
        ${text(JSON.stringify({ [NASTY]: NASTY }))}, public_key, '{}', '', null from morango_certificate;
      insert into morango_dirty (model_name, store_no, deleted, error_code, error_message, first_failed_at,
        last_failed_at, tries) select model_name, no, 0, ${text(NASTY)}, ${text(NASTY)}, '2026-01-01', '2026-01-01', 1
        from morango_store;
      insert into morango_conflict (profile, model_name, record_id, partition, resolution, our_instance, our_counter,
        our_serialized, our_deleted, their_instance, their_counter, their_serialized, their_deleted, result, state, told,
        happened_at) values ('gazetteer', 'place', ${text(NASTY)}, ${text(NASTY)}, 'merged', ${text(NASTY)}, 1,
        ${text(JSON.stringify({ [NASTY]: NASTY }))}, 0, ${text(NASTY)}, 1, ${text(JSON.stringify({ [NASTY]: 'other' }))}, 0,
        ${text(JSON.stringify({ [NASTY]: NASTY }))}, 'open', 1, '2026-01-01');
      update morango_store set serialized = ${text(JSON.stringify({ id: ID, name: NASTY }))}`)
    for (const [push, session] of [
      [1, 'a'],
      [0, 'd'],
    ] as const) {
      db.prepare(
        `insert into morango_transfer_session (id, sync_session_id, push, active, filter, stage, stage_status, error,
          records_transferred, records_total, bytes_sent, bytes_received, client_fsic, server_fsic, created_at,
          last_activity_at, lease_holder) values (?, ?, ?, ?, ?, 'dequeuing', 'errored', ?, 0, 1, 0, 0, '{}', '{}',
          '2026-01-01', '2026-01-01', null)`,
      ).run('f'.repeat(31) + String(push), session.repeat(32), push, 0, NASTY, NASTY)
    }
  })
})
afterAll(() => {
  process.chdir(before)
  field.close()
})

/** Runs the command in this process, in a terminal with colours or not, and gives what it would have written. */
async function shown(
  args: readonly string[],
  terminal = false,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const told = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name]
    const isTTY = stream.isTTY
    stream.isTTY = terminal
    const spy = vi.spyOn(stream, 'write').mockImplementation((text) => {
      told[name] += String(text)
      return true
    })
    return () => {
      spy.mockRestore()
      stream.isTTY = isTTY
      stream.removeAllListeners('error')
    }
  })
  try {
    return { code: await run(['node', 'morango', ...args]), ...told }
  } finally {
    for (const restore of spies) restore()
  }
}

/** What the command itself may have a terminal do: colours, and drawing a line anew. */
function withoutOurs(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/\r|\u001B\[(?:1|2|22|31|33|39)m|\u001B\[K/gu, '')
}

const COMMANDS: readonly (readonly string[])[] = [
  ['status'],
  ['peers'],
  ['doctor'],
  ['problems'],
  ['problems', 'show', 'place', ID],
  ['problems', 'show', NASTY.replaceAll('\0', ''), NASTY],
  ['conflicts'],
  ['conflicts', 'show', '1'],
  ['conflicts', 'restore', '1', '--side', 'ours'],
  ['explain', 'place', ID],
  ['explain', NASTY, NASTY],
  ['cert', 'list', '--all'],
  ['rescan', '--dry-run'],
  ['serialize'],
  ['problems', 'retry'],
  ['sync', `http://127.0.0.1:1/${NASTY}`, '--filter', NASTY],
  ['sync', '--verbose', NASTY],
  ['no-such-command', NASTY],
  ['problems', `--${NASTY}`],
]

test.each(
  COMMANDS.map(
    (args) =>
      [
        args
          .map((arg) => printable(arg))
          .join(' ')
          .slice(0, 40),
        args,
      ] as const,
  ),
)('shows nothing raw that others have written: %s', async (_name, args) => {
  const plain = await shown(args)
  expect(plain.stdout + plain.stderr).not.toMatch(FORBIDDEN)
  const drawn = await shown(args, true)
  expect(withoutOurs(drawn.stdout + drawn.stderr)).not.toMatch(FORBIDDEN)
  const json = await shown([...args, '--json'])
  expect(json.stdout + json.stderr).not.toMatch(FORBIDDEN)
  if (json.stdout !== '') expect(() => JSON.parse(json.stdout)).not.toThrow()
})

test('what a peer answers reaches neither the progress nor the error raw', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ detail: NASTY }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    for (const flags of [['--verbose'], ['--json']]) {
      const { code, stdout, stderr } = await shown([
        'sync',
        `http://127.0.0.1:${port}/`,
        '--filter',
        ID,
        ...flags,
      ])
      expect(code).toBe(1)
      expect(stdout + stderr).not.toMatch(FORBIDDEN)
    }
  } finally {
    server.close()
  }
})

test('texts and JSON documents are escaped so that they can be read', () => {
  expect(printable('a\u202Eb\nc\u{E0041}')).toBe(
    String.raw`a\u202eb\nc\u{e0041}`.replace(String.raw`\n`, String.raw`\u000a`),
  )
  expect(printable('Zoë 日本 ❤️ Ünïcödé')).toBe('Zoë 日本 ❤️ Ünïcödé')
  const value = { [NASTY]: [NASTY, 'Zoë'] }
  const text = printableJson(JSON.stringify(value, undefined, 2))
  expect(text).not.toMatch(FORBIDDEN)
  expect(JSON.parse(text)).toEqual(value)
})

test('one file alone writes to the terminal', () => {
  const cli = fileURLToPath(new URL('../../src/cli', import.meta.url))
  const writers = readdirSync(cli, { recursive: true, encoding: 'utf8' }).filter(
    (name) =>
      name.endsWith('.ts') &&
      /process\.std(?:out|err)\.write|console\.\w+\(/u.test(readFileSync(join(cli, name), 'utf8')),
  )
  expect(writers).toEqual(['output.ts'])
})

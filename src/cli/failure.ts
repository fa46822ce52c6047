import type { MorangoErrorCode } from '../core/errors.ts'
import { oneLine, sentence, wrap } from './format.ts'
import { errorLines } from './output.ts'
import type { Paint } from './paint.ts'

/** What the command's exit codes mean. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** What the person at the terminal can mend by typing something else. */
const USAGE: ReadonlySet<string> = new Set<MorangoErrorCode>([
  'invalid-argument',
  'invalid-filter',
  'unknown-profile',
  'unknown-scope-definition',
  'unknown-conflict',
  'unknown-problem',
])

/** What failed by the doing of something else, so that the reason is in the cause. */
const CAUSED: ReadonlySet<string> = new Set<MorangoErrorCode>(['stage-failed', 'database'])

/** What to do about a peer's answer, by its status. */
const PEER_HINTS: ReadonlyMap<number, string> = new Map([
  [401, 'Check the user name and the password'],
  [403, 'Who runs the peer decides this: ask there'],
  [404, 'Check that it is the base URL of a peer, without api/morango/'],
])

/** A failure of the command line itself. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly hint: string | undefined
  readonly exitCode: number
  readonly code: string

  constructor(
    message: string,
    options: { hint?: string; exitCode?: number; code?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.hint = options.hint
    this.exitCode = options.exitCode ?? EXIT.failed
    this.code = options.code ?? 'failed'
  }
}

/** The end of a command that has said what it has to say. */
export class ExitWith extends Error {
  override readonly name = 'ExitWith'
  readonly exitCode: number

  constructor(exitCode: number) {
    super(`The command ends with ${exitCode}`)
    this.exitCode = exitCode
  }
}

/** The failure of who used the command wrongly. */
export function usageError(message: string, hint: string, cause?: unknown): CommandError {
  return new CommandError(message, { hint, exitCode: EXIT.usage, code: 'usage', cause })
}

/** An error as the command tells it. */
export interface Failure {
  readonly message: string
  readonly hint: string | undefined
  readonly exitCode: number
  /** For programs. */
  readonly json: { readonly code: string; readonly message: string; readonly hint: string | undefined }
  readonly error: unknown
}

/** What to tell of an error. */
export function explain(error: unknown): Failure {
  const said = readError(error)
  const message = sentence(oneLine(said.message))
  const hint = said.hint === undefined ? undefined : sentence(oneLine(said.hint))
  return { message, hint, exitCode: said.exitCode, json: { code: said.code, message, hint }, error }
}

/** What is written of a failure: one sentence, what to do, and the stack with its causes if asked for. */
export function failureLines(
  failure: Failure,
  options: { readonly paint: Paint; readonly verbose: boolean; readonly width: number },
): string[] {
  const { paint, verbose, width } = options
  const label = 'error: '
  const texts = failure.hint === undefined ? [failure.message] : [failure.message, failure.hint]
  const lines = texts
    .flatMap((text) => wrap(text, width - label.length - 1))
    .map((line, i) => (i === 0 ? paint.red(label) : ' '.repeat(label.length)) + line)
  if (verbose) lines.push('', ...errorLines(failure.error))
  return lines
}

function readError(error: unknown): { message: string; hint?: string; code: string; exitCode: number } {
  if (!(error instanceof Error)) return unexpected(String(error))
  if (error instanceof CommandError) {
    const { message, code, exitCode, hint } = error
    return { message, code, exitCode, ...(hint !== undefined && { hint }) }
  }
  // By name: the configuration may have loaded another copy of this package.
  if (error.name !== 'MorangoError' || !('code' in error) || typeof error.code !== 'string') {
    return unexpected(error.message)
  }
  const { code } = error
  const because = CAUSED.has(code) && error.cause instanceof Error ? `: ${error.cause.message}` : ''
  const hint = 'hint' in error && typeof error.hint === 'string' ? forTerminal(error.hint) : peerHint(error)
  return {
    message: because === '' ? error.message : error.message.replace(/\.$/u, '') + because,
    ...(hint !== undefined && { hint }),
    code,
    exitCode: code === 'aborted' ? EXIT.interrupted : USAGE.has(code) ? EXIT.usage : EXIT.failed,
  }
}

function peerHint(error: Error): string | undefined {
  const details = 'details' in error ? error.details : undefined
  const isRecord = typeof details === 'object' && details !== null
  return isRecord && 'status' in details && typeof details.status === 'number'
    ? PEER_HINTS.get(details.status)
    : undefined
}

/** Without the half of the advice that is for programmers. */
export function forTerminal(hint: string): string {
  return hint
    .replace(', or call createMorango() with migrate: true', '')
    .replace(' (confirmDeletions: true)', '')
}

function unexpected(message: string): { message: string; hint: string; code: string; exitCode: number } {
  return {
    message: message === '' ? 'Something unexpected went wrong' : message,
    hint: 'Run it again with --verbose to see where.',
    code: 'unexpected',
    exitCode: EXIT.failed,
  }
}

import process from 'node:process'
import { createInterface } from 'node:readline'
import { text as readAll } from 'node:stream/consumers'
import { Writable } from 'node:stream'
import { CommandError, EXIT, usageError } from './failure.ts'
import { printNote, printPrompt } from './output.ts'

/**
 * A password that is in no list of processes and no shell history: from the standard input, from
 * `MORANGO_PASSWORD`, or asked for without an echo.
 *
 * @throws CommandError when there is none
 */
export async function readPassword(options: { readonly fromStdin: boolean }): Promise<string> {
  if (options.fromStdin) return (await readAll(process.stdin)).replace(/\r?\n$/u, '')
  const fromEnvironment = process.env['MORANGO_PASSWORD']
  if (fromEnvironment !== undefined) return fromEnvironment
  if (process.stdin.isTTY && process.stderr.isTTY) return ask('Password: ')
  throw usageError(
    'There is no password, and no terminal to ask for it',
    'Give it with --password-stdin or in MORANGO_PASSWORD.',
  )
}

function ask(prompt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
    const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
    const end = (): void => {
      lines.removeAllListeners().close()
      printNote('')
    }
    lines.once('line', (line) => {
      end()
      resolve(line)
    })
    const stopped = (): void => {
      end()
      reject(new CommandError('No password was given', { exitCode: EXIT.interrupted, code: 'aborted' }))
    }
    lines.once('SIGINT', stopped).once('close', stopped)
    printPrompt(prompt)
  })
}

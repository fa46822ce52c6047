import process from 'node:process'
import { createInterface } from 'node:readline/promises'
import { printable } from '../../core/printable.ts'
import { CommandError, EXIT } from '../failure.ts'
import { printNote } from '../output.ts'

/** Questions to the person at the terminal, on the standard error. */
export interface Asker {
  /** An answer that `accept` takes; nothing typed means `preset`. A text that `accept` gives says what is wrong. */
  ask(question: string, preset: string, accept?: (answer: string) => string | undefined): Promise<string>
  close(): void
}

/** Asks until told to stop: Ctrl-C, or the end of the input. */
export function createAsker(): Asker {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const stopped = new AbortController()
  lines.on('SIGINT', () => stopped.abort()).on('close', () => stopped.abort())
  return {
    async ask(question, preset, accept = () => undefined) {
      for (;;) {
        const typed = await answer(`${question}${preset === '' ? '' : ` (${preset})`}: `)
        const value = typed.trim() === '' ? preset : typed.trim()
        const wrong = accept(value)
        if (wrong === undefined) return value
        printNote(`  ${wrong}`)
      }
    },
    close: () => lines.close(),
  }

  async function answer(prompt: string): Promise<string> {
    try {
      // One question after the other.
      // oxlint-disable-next-line no-await-in-loop
      return await lines.question(printable(prompt), { signal: stopped.signal })
    } catch (error) {
      if (!stopped.signal.aborted) throw error
      printNote('')
      throw new CommandError('Nothing was written', { exitCode: EXIT.interrupted, code: 'aborted' })
    }
  }
}

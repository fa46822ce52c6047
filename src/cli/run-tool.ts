import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { CommandError, usageError } from './failure.ts'

/**
 * Runs another command in this terminal, to its end. While it runs, Ctrl-C is its own business.
 *
 * @throws CommandError when it cannot be started
 * @returns the failure of the command, undefined when it succeeded
 */
export async function runTool([name = '', ...args]: readonly string[]): Promise<CommandError | undefined> {
  const ignore = (): void => {}
  process.on('SIGINT', ignore)
  try {
    // What it prints is no part of what we print.
    const child = spawn(name, args, { stdio: ['inherit', 2, 'inherit'] })
    await once(child, 'close')
    const { exitCode, signalCode } = child
    if (exitCode === 0) return undefined
    const how = exitCode === null ? `was stopped by ${signalCode}` : `failed with exit code ${exitCode}`
    return new CommandError(`\`${name}\` ${how}`, {
      hint: 'The triggers are back in place. Mend what it complains of and run it again in the same way.',
      code: 'tool-failed',
    })
  } catch (error) {
    return usageError(
      `\`${name}\` cannot be started`,
      'Check how it is spelled, and that it is installed.',
      error,
    )
  } finally {
    process.off('SIGINT', ignore)
  }
}

import { MorangoError } from '../core/errors.ts'

/** A declaration that cannot work. `message` says where and what, `hint` how to mend it. */
export function declarationError(message: string, hint: string): MorangoError {
  return new MorangoError('invalid-declaration', message, { hint })
}

/** Refuses `text` when it is empty or longer than the original's column for it (protocol §1). */
export function checkLength(what: string, text: string, limit: number): void {
  if (text === '') throw declarationError(`The ${what} is empty`, 'Give it a name')
  const { length } = Array.from(text)
  if (length > limit) {
    throw declarationError(
      `The ${what} "${text}" has ${length} characters`,
      `Shorten it to at most ${limit}, which is all that other peers can store`,
    )
  }
}

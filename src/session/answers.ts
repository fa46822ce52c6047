import { MorangoError } from '../core/errors.ts'
import type { MorangoErrorCode } from '../core/errors.ts'

/** An error whose message is, word for word, the JSON string that the original answers. */
export function answerError(code: MorangoErrorCode, sentence: string, cause?: unknown): MorangoError {
  return new MorangoError(code, sentence, {
    details: { body: sentence },
    ...(cause !== undefined && { cause }),
  })
}

/** An error answered as `{detail}`. */
export function detailError(code: MorangoErrorCode, detail: string): MorangoError {
  return new MorangoError(code, detail, { details: { body: { detail } } })
}

/** An error about one field of a message, answered as `{field: [sentence]}`. */
export function fieldError(field: string, sentence: string): MorangoError {
  const fields = { [field]: [sentence] }
  return new MorangoError('malformed-message', `${field}: ${sentence}`, { details: { fields, body: fields } })
}

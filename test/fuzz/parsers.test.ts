import fc from 'fast-check'
import { it } from 'vitest'
import { isMorangoError } from '../../src/core/errors.ts'
import { FieldError } from '../../src/models/compiled.ts'
import { PARSERS } from '../parsers/parsers.ts'
import { hostileText, hostileValue } from './hostile.ts'
import { mutatedText } from './mutate.ts'
import { FUZZ_TIMEOUT, fuzz } from './runs.ts'
import { VALID_TEXTS } from './valid.ts'

const text = fc.oneof(
  { weight: 6, arbitrary: mutatedText(VALID_TEXTS) },
  { weight: 2, arbitrary: hostileText },
  { weight: 1, arbitrary: hostileValue.map((value) => JSON.stringify(value)) },
)

it(
  'every parser reads any text, or refuses it with an error of ours',
  () =>
    fuzz(1000, text, (given) => {
      for (const [name, parse] of Object.entries(PARSERS)) {
        try {
          parse(given)
        } catch (error) {
          // What a column refuses waits as a problem.
          if (isMorangoError(error) || error instanceof FieldError) continue
          throw new Error(`${name}: ${String(error)}`, { cause: error })
        }
      }
    }),
  FUZZ_TIMEOUT,
)

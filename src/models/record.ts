import { MorangoError } from '../core/errors.ts'
import { FieldError } from './compiled.ts'
import type { CompiledModel } from './compiled.ts'

/**
 * A new row with its id, and its source id where that is kept in a column, filled in. An id or source id that
 * is there already is kept, but the id must fit.
 *
 * @throws MorangoError `invalid-argument` when the values do not make a record
 * @example
 * buildRecord(place, { country_id, name: 'Oslo' }, randomUuid)
 * // { country_id: …, name: 'Oslo', id: '0ec0adc9…', morango_source_id: '7412b293…' }
 */
export function buildRecord<Values extends object>(
  model: CompiledModel,
  values: Values,
  randomUuid: () => string,
): Values & { readonly id: string } {
  try {
    const { id, sourceId } = model.build(Object.fromEntries(Object.entries(values)), randomUuid)
    const row = { ...values, id }
    return model.sourceIdColumn === undefined ? row : { ...row, [model.sourceIdColumn]: sourceId }
  } catch (error) {
    if (!(error instanceof FieldError)) throw error
    throw new MorangoError('invalid-argument', `Not a record of model "${model.name}": ${error.message}`, {
      cause: error,
      details: { model: model.name, field: error.field, code: error.code },
    })
  }
}

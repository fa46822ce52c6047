import { FieldError } from './compiled.ts'
import { declarationError } from './declaration-error.ts'

/** A template over a row's columns, taken apart: a literal, then columns and literals in turn. */
export interface ColumnTemplate {
  readonly text: string
  /** One more than there are columns. */
  readonly literals: readonly string[]
  readonly columns: readonly string[]
}

/** The column whose placeholder stands for the record's own id. */
export const ID_COLUMN = 'id'

/**
 * Takes a template such as `${country_id}:place` apart.
 *
 * @param where - what the template is, for the message
 * @throws MorangoError `invalid-declaration` when a `$` begins no `${column}`
 */
export function parseTemplate(text: string, where = 'The template'): ColumnTemplate {
  const literals: string[] = []
  const columns: string[] = []
  let end = 0
  for (const match of text.matchAll(/\$\{([^{}$]+)\}/g)) {
    literals.push(text.slice(end, match.index))
    columns.push(match[1] ?? '')
    end = match.index + match[0].length
  }
  literals.push(text.slice(end))
  if (literals.some((literal) => literal.includes('$'))) {
    throw declarationError(
      `${where} "${text}" has a $ that begins no \${column}`,
      'Write a column as ${column}; where the text needs a $ of its own, give a function instead of a template',
    )
  }
  return { text, literals, columns }
}

/**
 * Fills a template from a row; `id` goes in for `${id}`.
 *
 * @param emptyCode - the code of the error for a column that is null or empty
 * @throws FieldError `emptyCode`, or `invalid-type` for a column that is neither a text nor a number
 */
export function fillTemplate(
  template: ColumnTemplate,
  row: Readonly<Record<string, unknown>>,
  id: string,
  emptyCode: string,
): string {
  const { literals, columns } = template
  let text = literals[0] ?? ''
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] ?? ''
    const value = column === ID_COLUMN ? id : row[column]
    if (typeof value === 'string' && value !== '') text += value
    else text += templateValue(template, column, value, emptyCode)
    text += literals[index + 1] ?? ''
  }
  return text
}

function templateValue(template: ColumnTemplate, column: string, value: unknown, emptyCode: string): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value === null || value === undefined || value === '') {
    const state = value === '' ? 'empty' : value === null ? 'null' : 'missing'
    throw new FieldError(emptyCode, `"${column}" is ${state}, but "${template.text}" needs it`, column)
  }
  throw new FieldError(
    'invalid-type',
    `"${column}" must be a text or a number for "${template.text}"`,
    column,
  )
}

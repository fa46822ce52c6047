import { parseTemplate } from './template.ts'

/**
 * The SQL expression that fills a template as JavaScript does: null where a column that it needs is null or
 * empty. Columns must be of kind `text` or `integer`, which `compileProfile` sees to. Portable.
 *
 * @param quoteIdentifier - the dialect's quoting of a name
 * @param alias - the table or alias that the columns belong to
 * @example
 * compileTemplateSql('${country_id}:place', (name) => `"${name}"`, 'p')
 * // nullif(cast("p"."country_id" as text), '') || ':place'
 */
export function compileTemplateSql(
  template: string,
  quoteIdentifier: (name: string) => string,
  alias: string,
): string {
  const { literals, columns } = parseTemplate(template)
  const terms: string[] = []
  for (const [index, literal] of literals.entries()) {
    if (literal !== '' || columns.length === 0) terms.push(`'${literal.replaceAll("'", "''")}'`)
    const column = columns[index]
    if (column !== undefined) {
      terms.push(`nullif(cast(${quoteIdentifier(alias)}.${quoteIdentifier(column)} as text), '')`)
    }
  }
  return terms.join(' || ')
}

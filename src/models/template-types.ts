/** The names in a template's placeholders: `'a' | 'b'` of `'${a}:x:${b}'`. */
export type TemplateNames<Text extends string> = Text extends `${string}\${${infer Name}}${infer Rest}`
  ? Name | TemplateNames<Rest>
  : never

/** The names in a template that are no columns of the row. */
export type UnknownNames<Text extends string, Row> = Exclude<TemplateNames<Text>, (keyof Row & string) | 'id'>

/** The template itself if every placeholder names a column; else a type that says what is wrong. */
export type CheckedTemplate<Text extends string, Row> = [UnknownNames<Text, Row>] extends [never]
  ? Text
  : `"${UnknownNames<Text, Row>}" is not a column of the row`

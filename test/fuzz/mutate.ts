import fc from 'fast-check'
import { hostileText, hostileValue } from './hostile.ts'

const KINDS = ['drop', 'repeat', 'replace', 'rename', 'add', 'wrap', 'inside', 'inside', 'replace'] as const

/** What a name may end with without being shown otherwise. */
const ALIKE = '\u0000\u0001\u0002'

/** One change of a value of JSON. */
export interface Edit {
  /** Which value within it, counted from outside. */
  readonly at: number
  readonly kind: (typeof KINDS)[number]
  readonly value: unknown
  readonly key: string
}

/** Any one change. */
export const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(200),
  kind: fc.constantFrom(...KINDS),
  value: hostileValue,
  key: hostileText,
})

/** One of the values with some members and elements dropped, repeated, renamed or of another type. */
export function mutatedValue(valid: readonly unknown[], edits = 3): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.constantFrom(...valid), fc.array(edit, { maxLength: edits }))
    .map(([value, changes]) => applyEdits(value, changes))
}

/** A JSON text of such a value, of which the text may be changed too. */
export function mutatedJson(valid: readonly unknown[]): fc.Arbitrary<string> {
  return fc
    .tuple(mutatedValue(valid), fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, textEdits([])))
    .map(([value, changes]) => applyTextEdits(JSON.stringify(value) ?? 'null', changes))
}

/** Changes a value of JSON; where the text of JSON stands in it, inside that too. */
export function applyEdits(value: unknown, edits: readonly Edit[]): unknown {
  return edits.reduce((result, change) => applyEdit(result, change), value)
}

function applyEdit(root: unknown, change: Edit): unknown {
  let left = change.at % countOf(root)
  const visit = (value: unknown): [key: string | undefined, value: unknown][] => {
    if (left-- === 0) return changed(value, change)
    if (Array.isArray(value)) return [[undefined, value.flatMap((item) => visit(item).map(([, one]) => one))]]
    if (typeof value !== 'object' || value === null) return [[undefined, value]]
    const members = Object.entries(value).flatMap(([key, member]) =>
      visit(member).map(([renamed, one], index): [string, unknown] => [
        renamed ?? (index === 0 ? key : key + ALIKE.charAt(index)),
        one,
      ]),
    )
    return [[undefined, Object.fromEntries(members)]]
  }
  const [first] = visit(root)
  return first === undefined ? null : first[1]
}

function changed(value: unknown, { kind, value: other, key }: Edit): [string | undefined, unknown][] {
  switch (kind) {
    case 'drop':
      return []
    case 'repeat':
      return [
        [undefined, value],
        [undefined, value],
        [undefined, value],
      ]
    case 'replace':
      return [[undefined, other]]
    case 'rename':
      return [[key, value]]
    case 'wrap':
      return [[undefined, key === '' ? { a: value } : [value]]]
    case 'add':
      if (Array.isArray(value)) return [[undefined, [...value, other]]]
      if (typeof value !== 'object' || value === null) return [[undefined, other]]
      return [[undefined, Object.fromEntries([...Object.entries(value), [key, other]])]]
    case 'inside':
      return [[undefined, changedInside(value, other, key)]]
  }
}

/** Many texts in messages are JSON themselves. */
function changedInside(value: unknown, other: unknown, key: string): unknown {
  if (typeof value !== 'string') return other
  let inner: unknown
  try {
    inner = JSON.parse(value)
  } catch {
    return value.slice(0, Math.floor(value.length / 2)) + key + value.slice(Math.floor(value.length / 2))
  }
  const kind = key.length % 2 === 0 ? 'replace' : 'add'
  return JSON.stringify(applyEdit(inner, { at: key.length + value.length, kind, value: other, key }))
}

function countOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce<number>((sum, member) => sum + countOf(member), 1)
}

/** One change of a text or of bytes: a part of it makes room for something else. */
export interface TextEdit {
  /** From 0 to 1. */
  readonly from: number
  readonly length: number
  readonly insert: string
  /** Whether the part is left too, so that it stands twice. */
  readonly twice: boolean
}

// What tells JSON and numbers apart.
const MARKS = Array.from('{}[],:"\\0-eE.\u0001')

/** @param others - texts of which parts are put in */
export function textEdits(others: readonly string[]): fc.Arbitrary<TextEdit[]> {
  const part = fc
    .tuple(fc.constantFrom('', ...others), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40))
    .map(([text, from, length]) => partOf(text, from, length))
  return fc.array(
    fc.record({
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.oneof(fc.nat(3), fc.nat(40), fc.constant(100_000)),
      insert: fc.oneof(hostileText, part, fc.constant(''), fc.constantFrom(...MARKS)),
      twice: fc.boolean(),
    }),
    { maxLength: 3 },
  )
}

/** One of the texts with parts left out, put in from others, or twice. */
export function mutatedText(valid: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...valid), textEdits(valid))
    .map(([text, changes]) => applyTextEdits(text, changes))
}

/** Changes a text. */
export function applyTextEdits(text: string, edits: readonly TextEdit[]): string {
  return edits.reduce((result, { from, length, insert, twice }) => {
    const at = Math.floor(from * result.length)
    const part = result.slice(at, at + length)
    return result.slice(0, at) + (twice ? part + part : '') + insert + result.slice(at + length)
  }, text)
}

/** The same with bytes. */
export function applyByteEdits(bytes: Uint8Array, edits: readonly TextEdit[]): Uint8Array<ArrayBuffer> {
  const text = applyTextEdits(Buffer.from(bytes).toString('latin1'), edits)
  return Uint8Array.from(Buffer.from(text, 'latin1'))
}

function partOf(text: string, from: number, length: number): string {
  const at = Math.floor(from * text.length)
  return text.slice(at, at + length)
}

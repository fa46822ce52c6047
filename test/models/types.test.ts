import { expectTypeOf, test } from 'vitest'
import { model } from '../../src/models/model.ts'
import type { ModelDeclaration, RowOf } from '../../src/models/model.ts'
import { defineProfile } from '../../src/models/profile.ts'
import type { ScopeIdOf } from '../../src/models/profile.ts'
import { scope } from '../../src/models/scope.ts'
import type { CheckedTemplate, TemplateNames } from '../../src/models/template-types.ts'

interface Place {
  readonly id: string
  readonly country_id: string
  readonly name: string
  readonly open: number
}

test('templates name columns of the row', () => {
  expectTypeOf<TemplateNames<'${a}:x:${b}'>>().toEqualTypeOf<'a' | 'b'>()
  expectTypeOf<CheckedTemplate<'${country_id}:${id}', Place>>().toEqualTypeOf<'${country_id}:${id}'>()
  expectTypeOf<CheckedTemplate<'${country}', Place>>().toEqualTypeOf<'"country" is not a column of the row'>()

  model<Place>()({ table: 'place', partition: '${country_id}:place', sourceId: '${name}' })
  model<Place>()({ table: 'place', partition: (row) => row.country_id })
  // @ts-expect-error "country" is no column
  model<Place>()({ table: 'place', partition: '${country}:place' })
  // @ts-expect-error "code" is no column
  model<Place>()({ table: 'place', partition: '${id}', sourceId: '${name}:${code}' })
  model({ table: 'place', partition: '${anything}' })
})

test('columns are those of the row', () => {
  const place = model<Place>()
  const base = { table: 'place', partition: 'x' } as const
  expectTypeOf(
    model<Place>({ ...base, columns: { open: 'boolean' }, sourceId: (row) => row.name }),
  ).toEqualTypeOf<ModelDeclaration<Place>>()
  place({
    ...base,
    columns: { open: { kind: 'date-time', storage: 'epoch-seconds' }, name: { maxLength: 5 } },
    exclude: ['name'],
    validate: (row) => (row.name === '' ? 'no name' : undefined),
  })
  // @ts-expect-error "opened" is no column
  place({ ...base, columns: { opened: 'boolean' } })
  // @ts-expect-error "nam" is no column
  place({ ...base, exclude: ['nam'] })
  // @ts-expect-error a boolean is not kept in seconds
  place({ ...base, columns: { open: { kind: 'boolean', storage: 'seconds' } } })
  // @ts-expect-error a storage needs its kind
  place({ ...base, columns: { open: { storage: 'text' } } })
})

test('merge policies name columns of the row', () => {
  const place = model<Place>()
  const base = { table: 'place', partition: 'x' } as const
  place({ ...base, merge: { open: 'sum', name: { latestBy: 'open' }, '*': 'theirs' } })
  place({ ...base, merge: (ours) => ours.value })
  // Columns said nothing of elsewhere may be merged all the same.
  model({ ...base, columns: { open: 'boolean' }, merge: { name: 'max' } })
  // @ts-expect-error "opened" is no column
  place({ ...base, merge: { opened: 'max' } })
  // @ts-expect-error "edited" is no column
  place({ ...base, merge: { name: { latestBy: 'edited' } } })
  // @ts-expect-error columns of any kind have no sum
  place({ ...base, merge: { '*': 'sum' } })
})

test('a profile knows its models, their rows and its scopes', () => {
  const gazetteer = defineProfile({
    name: 'gazetteer',
    models: { place: model<Place>()({ table: 'place', partition: '${country_id}' }) },
    scopes: { full: scope({ root: 'r', readWrite: '${r}' }), reader: scope({ read: '${r}:x' }) },
  })
  expectTypeOf<keyof typeof gazetteer.models>().toEqualTypeOf<'place'>()
  expectTypeOf<RowOf<typeof gazetteer.models.place>>().toEqualTypeOf<Place>()
  expectTypeOf<ScopeIdOf<typeof gazetteer>>().toEqualTypeOf<'full' | 'reader'>()
  expectTypeOf(gazetteer.models.place).toExtend<ModelDeclaration>()
})

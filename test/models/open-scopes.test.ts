import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createMorango, defineProfile, diagnose, model, scope } from '../../src/index.ts'
import type { EngineWarning, ScopeDeclaration } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite.ts'

/** The scopes that are warned about, by an instance and by the doctor. */
async function warnedAbout(scopes: Record<string, ScopeDeclaration>): Promise<string[]> {
  const connection = new DatabaseSync(':memory:')
  connection.exec(`
    create table person (id text primary key not null, dataset text not null, username text not null);
    create table note (id text primary key not null, dataset text not null, username text not null,
      person_id text not null references person (id))`)
  const profile = defineProfile({
    name: 'p',
    models: {
      person: model({ table: 'person', partition: '${dataset}:user:${username}:' }),
      note: model({ table: 'note', partition: '${dataset}:person:${person_id}' }),
    },
    scopes: { owner: scope({ root: 'dataset', readWrite: '${dataset}' }), ...scopes },
  })
  const warnings: EngineWarning[] = []
  const database = sqlite(connection)
  const morango = await createMorango({
    database,
    profiles: [profile],
    migrate: true,
    onWarning: (warning) => warnings.push(warning),
  })
  const { checks } = await diagnose({ database, profiles: [profile] })
  await morango.close()
  const found = checks.flatMap(({ findings }) => findings).filter(({ code }) => code === 'open-scope')
  const told = warnings.filter(({ code }) => code === 'open-scope')
  expect(told).toHaveLength(found.length)
  return found.map(({ sentence }) => /of the scope "([^"]+)"/.exec(sentence)?.[1] ?? '')
}

test('a last parameter that is followed by a colon, has one length, or is the root is fine', async () => {
  expect(
    await warnedAbout({
      member: scope({ readWrite: '${dataset}' }),
      place: scope({ read: '${dataset}:place' }),
      user: scope({ readWrite: '${dataset}:user:${username}:', read: '${dataset}:user:${username}:x' }),
      person: scope({ readWrite: '${dataset}:person:${person_id}' }),
    }),
  ).toEqual([])
})

test('any other is warned about', async () => {
  expect(
    await warnedAbout({
      user: scope({ readWrite: '${dataset}:user:${username}' }),
      bare: scope({ read: '${dataset}:user:$username' }),
      followed: scope({ write: '${dataset}:user:${username}-x' }),
      unknown: scope({ read: '${dataset}:user:${user_id}' }),
    }),
  ).toEqual(['user', 'bare', 'followed', 'unknown'])
})

import { defineProfile, model, type Profile, scope } from '../src/index.ts'
import { TABLES } from '../interop/profile.ts'

/**
 * The profile of the server under attack: the models and the two scopes that peers of the original know, and narrower
 * scopes beside them.
 */
export const served: Profile = defineProfile({
  name: 'survey',
  models: {
    region: model({ table: 'region', sourceId: '${code}', partition: '${dataset_id}:shared' }),
    person: model({ table: 'person', id: 'source-id', partition: '${dataset_id}:user:${id}' }),
    visit: model({ table: 'visit', partition: '${dataset_id}:user:${person_id}' }),
    sample: model({
      table: 'sample',
      sourceId: '${label}',
      partition: '${dataset_id}:shared:sample',
      columns: { length: 'duration', token: 'uuid' },
    }),
  },
  scopes: {
    full: scope({ root: 'dataset_id', readWrite: '${dataset_id}' }),
    'one-person': scope({ read: '${dataset_id}:shared', readWrite: '${dataset_id}:user:${person_id}' }),
    reader: scope({ read: '${dataset_id}:shared' }),
    writer: scope({ write: '${dataset_id}:shared:sample' }),
    sampler: scope({ readWrite: '${dataset_id}:shared:sample' }),
  },
})

/** Its tables, as an application on each database has them. */
export const STATEMENTS: Readonly<Record<'SQLite' | 'PostgreSQL', readonly string[]>> = {
  SQLite: statements(TABLES),
  PostgreSQL: statements(
    TABLES.replaceAll(' datetime', ' timestamptz')
      .replaceAll('ratio real', 'ratio double precision')
      .replaceAll('token char(32)', 'token uuid')
      .replaceAll('payload json', 'payload jsonb'),
  ),
}

function statements(text: string): string[] {
  return text
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

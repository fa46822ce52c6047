import { beforeEach, inject } from 'vitest'
import { makeOnServer } from '../../test/databases/server.ts'
import { describeAttempts } from './suite.ts'

beforeEach((context) => {
  if (inject('postgresUrl') === '') context.skip('There is no PostgreSQL server.')
})

// Each takes several times as long as on SQLite.
describeAttempts('PostgreSQL', makeOnServer, { wire: 8, others: 2 })

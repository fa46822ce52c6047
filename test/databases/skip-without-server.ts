import { beforeEach, inject } from 'vitest'

beforeEach((context) => {
  if (inject('postgresUrl') === '') context.skip('There is no PostgreSQL server.')
})

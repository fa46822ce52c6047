import { memorySqlite } from '../../src/testing/sqlite.ts'
import { describeAttempts } from './suite.ts'

// Half of all: files run side by side.
describeAttempts('SQLite', memorySqlite, { wire: 0, others: 1 })

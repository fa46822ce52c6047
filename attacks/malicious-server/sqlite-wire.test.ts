import { memorySqlite } from '../../src/testing/sqlite.ts'
import { describeAttempts } from './suite.ts'

describeAttempts('SQLite', memorySqlite, { wire: 1, others: 0 })

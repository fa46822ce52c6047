import { describe, test } from 'vitest'
import { memorySqlite } from '../../src/testing/sqlite.ts'
import { describeStorage } from '../../src/testing/index.ts'

describeStorage('SQLite', memorySqlite, { describe, test })

import { describe, test } from 'vitest'
import { describeStorage } from '../../src/testing/index.ts'
import { DATABASE, makeTestDatabase } from '../databases/index.ts'

describeStorage(DATABASE, makeTestDatabase, { describe, test })

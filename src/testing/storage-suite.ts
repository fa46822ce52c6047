import { applying } from './behaviours/applying.ts'
import { bounding } from './behaviours/bounding.ts'
import { braking } from './behaviours/braking.ts'
import { claiming } from './behaviours/claiming.ts'
import { comparing } from './behaviours/comparing.ts'
import { conflicts } from './behaviours/conflicts.ts'
import { counting } from './behaviours/counting.ts'
import { explaining } from './behaviours/explaining.ts'
import { diagnosing } from './behaviours/diagnosing.ts'
import { distrusting } from './behaviours/distrusting.ts'
import { field } from './behaviours/field.ts'
import { leasing } from './behaviours/leasing.ts'
import { merging } from './behaviours/merging.ts'
import { rescanning } from './behaviours/rescanning.ts'
import { listing } from './behaviours/listing.ts'
import { policies } from './behaviours/policies.ts'
import { planning } from './behaviours/planning.ts'
import { problems } from './behaviours/problems.ts'
import { scoping } from './behaviours/scoping.ts'
import { serializing } from './behaviours/serializing.ts'
import { tracking } from './behaviours/tracking.ts'
import { transferring } from './behaviours/transferring.ts'
import type { Behaviour, MakeNetwork, TestFramework } from './behaviour.ts'
import { createTestNetwork, type TestNetwork } from './network.ts'
import type { MakeTestDatabase } from './test-database.ts'

const GROUPS: readonly (readonly [string, readonly Behaviour<MakeNetwork>[]])[] = [
  ['serializing', serializing],
  ['tracking', tracking],
  ['the brake on deletions', braking],
  ['rescanning', rescanning],
  ['merging', merging],
  ['merge policies', policies],
  ['applying', applying],
  ['scopes', scoping],
  ['problems', problems],
  ['conflicts', conflicts],
  ['counters and filters', counting],
  ['claims', claiming],
  ['sums of sets', comparing],
  ['what is not believed', distrusting],
  ['transfers', transferring],
  ['leases', leasing],
  ['quotas', bounding],
  ['explaining', explaining],
  ['planning', planning],
  ['listing peers', listing],
  ['diagnosing', diagnosing],
  ['what went wrong elsewhere', field],
]

/**
 * Everything that a storage must do, as tests on databases that you make.
 *
 * @example
 * import { describe, test } from 'vitest'
 * describeStorage('my storage', makeDatabase, { describe, test })
 */
export function describeStorage(
  name: string,
  makeDatabase: MakeTestDatabase,
  framework: TestFramework,
): void {
  framework.describe(name, () => {
    for (const [group, behaviours] of GROUPS) {
      framework.describe(group, () => {
        for (const { name: what, run } of behaviours) {
          framework.test(what, async () => {
            const networks: TestNetwork[] = []
            try {
              await run(async (options) => {
                const network = await createTestNetwork({ database: makeDatabase, ...options })
                networks.push(network)
                return network
              })
            } finally {
              for (const network of networks) await network.close()
            }
          })
        }
      })
    }
  })
}

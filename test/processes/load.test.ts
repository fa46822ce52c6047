import { expect, it } from 'vitest'
import { runLoad } from '../../bench/load/load.ts'
import { DATABASE } from '../databases/index.ts'

it.skipIf(DATABASE !== 'postgres')(
  '50 clients sync at once with 4 processes, half of them on one partition, while an application writes',
  async () => {
    const { makeOnServer } = await import('../databases/server.ts')
    const server = await makeOnServer()
    try {
      const result = await runLoad({ url: server.url, clients: 50, processes: 4, records: 20 })
      expect(result).toMatchObject({ failures: [], unequal: 0, deadlocks: 0 })
      expect(result.written).toBeGreaterThan(0)
    } finally {
      await server.destroy()
    }
  },
)

import { parseArgs } from 'node:util'
import pg from 'pg'
import { runLoad } from './load.ts'

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '50' },
    records: { type: 'string', default: '30' },
    processes: { type: 'string', default: '1,2,4' },
    url: { type: 'string', default: 'postgres://postgres@127.0.0.1:5432/postgres' },
  },
})

const admin = new pg.Client({ connectionString: values.url })
await admin.connect()
const clients = Number(values.clients)
console.log(`${clients} clients, ${values.records} records each, an application that writes meanwhile`)
for (const processes of values.processes.split(',').map(Number)) {
  const name = `morango_load_${process.pid}_${processes}`
  await admin.query(`create database ${name}`)
  const url = new URL(values.url)
  url.pathname = `/${name}`
  try {
    const result = await runLoad({ url: url.href, clients, processes, records: Number(values.records) })
    const { seconds, written, rolledBack, deadlocks, failures, unequal } = result
    console.log(
      `${processes} processes: ${(clients / seconds).toFixed(1)} clients/s (${seconds.toFixed(2)} s); ` +
        `${written} statements of the application, ${rolledBack} transactions begun again, ` +
        `${deadlocks} deadlocks`,
    )
    for (const failure of new Set(failures)) console.error(failure)
    if (failures.length > 0 || unequal > 0) {
      console.error(`${failures.length} requests failed, ${unequal} clients are not equal`)
      process.exitCode = 1
    }
  } finally {
    await admin.query(`drop database ${name} with (force)`)
  }
}
await admin.end()

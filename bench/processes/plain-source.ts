import { once } from 'node:events'
import { createServer } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { TABLES } from '../data.ts'
import { databaseOf, type Place } from '../databases/kinds.ts'
import { answerCalls } from './calls.ts'

/** The side of the plain copy that has the rows. */
export interface PlainSourceApi {
  start(place: Place): Promise<{ url: string }>
}

const pack = promisify(gzip)
/** As the library packs. */
const LEVEL = 3

answerCalls<PlainSourceApi>({
  start: async ({ kind, at }) => {
    const database = await databaseOf(kind).openPlain(at)
    const server = createServer((_request, response) => {
      database
        .selectAll(TABLES)
        .then(async (tables) => await pack(JSON.stringify(tables), { level: LEVEL }))
        .then((body) => {
          response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length })
          response.end(body)
        })
        .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('No port')
    return { url: `http://127.0.0.1:${address.port}/` }
  },
})

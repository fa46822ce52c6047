import { sql } from 'kysely'
import { addBooks, type Site } from './site.ts'

/** An application that writes to the servers' database as fast as it may, until it is stopped. */
export interface Writers {
  /** @returns how many statements were run; all of them went through */
  stop(): Promise<number>
}

/** Starts some connections' worth of it: updates of rows that are synced meanwhile, with insertions and deletions. */
export function startWriters(cloud: Site, roots: readonly string[], connections: number): Writers {
  let going = true
  let statements = 0
  async function write(writer: number): Promise<void> {
    for (let turn = 0; going; turn++) {
      const root = roots[turn % roots.length] ?? ''
      const owner = `writer${writer}`
      if (turn % 5 === 0) await addBooks(cloud, { root, owner }, [`written ${writer} ${turn}`])
      else if (turn % 17 === 0) {
        await sql`delete from book where id = (select id from book where root = ${root} and owner = ${owner}
          order by id limit 1)`.execute(cloud.database.kysely)
      } else {
        await sql`update book set pages = coalesce(pages, 0) + 1
          where id = (select id from book where root = ${root} order by md5(id || ${String(turn)}) limit 1)`.execute(
          cloud.database.kysely,
        )
      }
      statements++
    }
  }
  const writing = Promise.all(Array.from({ length: connections }, (_, writer) => write(writer)))
  writing.catch(() => undefined)
  return {
    stop: async () => {
      going = false
      await writing
      return statements
    },
  }
}

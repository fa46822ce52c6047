import type { Dump } from '../peer.ts'

/** All that a peer has, by path, with names for ids. Empty texts are left out. */
export type Flat = ReadonlyMap<string, string>

/** Puts names in the place of ids. */
export type Rename = (text: string) => string

/**
 * - `counter`: the instance's; `buffers`: how many rows wait there
 * - `claims/<partition>`: the database max counters, `a3 b2`: instance a's 3, instance b's 2
 * - `store/<record>/…`: `who` (model, source id, partition, with tabs between), `parent`, `json`, `conflicting`, `state`, `version` (the
 *   record max counters, a `*` before the last saved one)
 * - `app/<record>`: its row; `pending/<record>`: it has changed since it was serialized
 */
export function flatten(dump: Dump, rename: Rename): Flat {
  const flat = new Map<string, string>()
  const put = (path: string, value: string): void => {
    if (value !== '') flat.set(rename(path), rename(value))
  }
  put('instance', dump.instance)
  put('counter', String(dump.counter))
  put('buffers', dump.buffers === 0 ? '' : String(dump.buffers))
  for (const id of dump.pending) put(`pending/${id}`, 'changed')
  const claims = Map.groupBy(dump.counters, ([partition]) => partition)
  for (const [partition, list] of claims) {
    put(`claims/${partition}`, versions(list.map(([, instance, counter]) => `${rename(instance)}${counter}`)))
  }
  for (const row of dump.store) {
    const at = `store/${row.id}`
    put(`${at}/who`, [row.model, row.source, row.partition].join('\t'))
    put(`${at}/parent`, row.selfRef)
    put(`${at}/json`, row.serialized)
    put(`${at}/conflicting`, row.conflicting)
    const states = [row.hard && 'hard', row.deleted ? 'deleted' : 'alive', row.dirty && 'dirty']
    put(`${at}/state`, states.filter((state) => state !== false).join(' '))
    const history = { ...row.history, [row.instance]: row.history[row.instance] ?? 0 }
    const list = Object.entries(history).map(([instance, counter]) => {
      const last = instance === row.instance
      const differs = last && counter !== row.counter ? `(${row.counter})` : ''
      return `${last ? '*' : ''}${rename(instance)}${counter}${differs}`
    })
    put(`${at}/version`, versions(list))
  }
  for (const [model, rows] of Object.entries(dump.app)) {
    for (const row of rows) put(`app/${String(row['id'])}`, `${model} ${JSON.stringify(sorted(row))}`)
  }
  return flat
}

function versions(list: readonly string[]): string {
  const bare = (text: string): string => text.replace('*', '')
  return list.toSorted((a, b) => (bare(a) < bare(b) ? -1 : 1)).join(' ')
}

function sorted(row: object): object {
  return Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

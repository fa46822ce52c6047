import { recordId } from '../../src/core/ids.ts'
import { altering, objectOf, type Tamper } from './layer.ts'
import type { Scene } from './scene.ts'
import { root } from './world.ts'

/** A record as it travels, with whatever in it. */
export type WireRecord = Readonly<Record<string, unknown>>

/** Alters the records of every page. */
export function pages(alter: (records: readonly WireRecord[]) => readonly unknown[]): Tamper {
  return altering('GET buffers', (body) => {
    const { results } = body
    return { ...body, results: alter(Array.isArray(results) ? results.map(objectOf) : []) }
  })
}

/** Alters the record of that id. */
export function forging(id: string, alter: (record: WireRecord) => WireRecord): Tamper {
  return pages((records) => records.map((record) => (record['model_uuid'] === id ? alter(record) : record)))
}

/** Alters a record that the client has not. */
export function forgingFresh(alter: (record: WireRecord) => WireRecord): (scene: Scene) => Tamper {
  return ({ fresh }) => forging(fresh[0], alter)
}

/** A record with these members instead. */
export function having(members: WireRecord): (record: WireRecord) => WireRecord {
  return (record) => ({ ...record, ...members })
}

/** A record whose content says something else. */
export function saying(values: WireRecord): (record: WireRecord) => WireRecord {
  return (record) => ({ ...record, serialized: JSON.stringify({ ...contentOf(record), ...values }) })
}

/** What a record's content says. */
export function contentOf(record: WireRecord): Record<string, unknown> {
  return objectOf(JSON.parse(String(record['serialized'])))
}

/** A record in whose history an instance has that counter. */
export function knowing(instance: string, counter: number): (record: WireRecord) => WireRecord {
  return (record) => {
    const { model_uuid, transfer_session, rmcb_list } = record
    const others = (Array.isArray(rmcb_list) ? rmcb_list : []).filter(
      (entry) => objectOf(entry)['instance_id'] !== instance,
    )
    const entry = { model_uuid, transfer_session, instance_id: instance, counter }
    return { ...record, rmcb_list: [...others, entry] }
  }
}

/** The same record under another label, its id recomputed, so that it fits together. */
export function labelled(label: {
  readonly partition?: string
  readonly source_id?: string
  readonly model_name?: string
}): (record: WireRecord) => WireRecord {
  return (record) => {
    const { partition, source_id, model_name } = { ...record, ...label }
    const id = recordId(String(partition), String(source_id), String(model_name))
    const content = { ...contentOf(record), id, _morango_partition: partition, _morango_source_id: source_id }
    const { rmcb_list } = record
    return {
      ...record,
      ...label,
      model_uuid: id,
      serialized: JSON.stringify(content),
      rmcb_list: (Array.isArray(rmcb_list) ? rmcb_list : []).map((entry) => ({
        ...objectOf(entry),
        model_uuid: id,
      })),
    }
  }
}

/** The partition of an owner. */
export function partitionOf(owner: string): string {
  return `${root.certificate.id}:${owner}`
}

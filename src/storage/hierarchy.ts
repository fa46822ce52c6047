import { readableValues } from '../core/python-json.ts'
import { jsonText } from '../models/kinds/codec.ts'

/** A record and the one it refers to in its own model, `''` for none. */
export interface Node {
  readonly id: string
  readonly parent: string
}

/** The parent that a record's JSON says, `''` for none; undefined when it says nothing, or cannot be read. */
export function parentIn(serialized: string, selfReference: string | undefined): string | undefined {
  if (selfReference === undefined) return undefined
  const raw = readableValues(serialized)?.get(selfReference)
  return raw === undefined ? undefined : (jsonText(raw) ?? '')
}

/**
 * Parents before children (protocol §9). Parents that are not among the nodes count as there; nodes on a loop
 * come last, in their given order, for the database to judge.
 */
export function parentsFirst(nodes: readonly Node[]): string[] {
  const children = new Map<string, string[]>()
  const present = new Set(nodes.map((node) => node.id))
  const queue: string[] = []
  for (const { id, parent } of nodes) {
    if (parent === '' || parent === id || !present.has(parent)) {
      queue.push(id)
      continue
    }
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [id])
    else siblings.push(id)
  }
  const ordered = new Set<string>()
  // The queue grows while it is read.
  for (const id of queue) {
    ordered.add(id)
    for (const child of children.get(id) ?? []) queue.push(child)
  }
  for (const { id } of nodes) ordered.add(id)
  return [...ordered]
}

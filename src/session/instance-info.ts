import { isHexUuid } from '../core/ids.ts'

/**
 * What an instance tells of itself when a sync session is made (protocol §4). Only `id` is ever used, the rest
 * is for people: platform, hostname, sysversion, node_id, database, db_path, system_id, and what the
 * application adds.
 */
export interface InstanceInfo {
  readonly id: string
  readonly [name: string]: string
}

/**
 * The id in another instance's description, as text of JSON; null where it has none. What is no id of an instance is none
 * to us: it may be a text that no database keeps.
 */
export function instanceIdIn(description: string): string | null {
  try {
    const value: unknown = JSON.parse(description)
    if (typeof value !== 'object' || value === null || !('id' in value)) return null
    return isHexUuid(value.id) ? value.id : null
  } catch {
    return null
  }
}

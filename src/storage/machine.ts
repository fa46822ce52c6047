import { readFileSync } from 'node:fs'
import { arch, hostname, platform, release } from 'node:os'
import type { Machine } from './instance.ts'

/** What every process of one database on a server has in common: it is one instance, wherever they run. */
export function serverMachine(): Machine {
  return { ...thisMachine(), systemId: override('MORANGO_SYSTEM_ID') ?? 'postgresql' }
}

/**
 * What tells this machine from others: its machine id where the system has one, else its host name. Both can
 * be overridden by `MORANGO_SYSTEM_ID` and `MORANGO_NODE_ID` (protocol §1), for machines cloned from one image.
 */
export function thisMachine(): Machine {
  return {
    systemId: override('MORANGO_SYSTEM_ID') ?? machineId() ?? hostname(),
    nodeId: override('MORANGO_NODE_ID') ?? '',
    about: {
      platform: `${platform()}-${release()}-${arch()}`,
      hostname: hostname(),
      sysversion: process.version,
    },
  }
}

function override(name: string): string | undefined {
  const value = process.env[name]
  return value !== undefined && value.trim().length >= 3 ? value : undefined
}

function machineId(): string | undefined {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      const id = readFileSync(path, 'utf8').trim()
      if (id !== '') return id
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      // Not every system keeps one: the next place, or the host name.
    }
  }
  return undefined
}

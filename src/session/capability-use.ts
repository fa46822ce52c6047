import type { FsicFormat } from './ports.ts'
import type { Mode } from './plan.ts'

/** How two sides work together, by what both can (protocol §4, §5). */
export interface Manner {
  readonly mode: Mode
  readonly format: FsicFormat
}

/** What a set of effective capabilities comes to. */
export function mannerOf(effective: ReadonlySet<string>): Manner {
  return {
    mode: modeOf(effective),
    format: effective.has('FSIC_V2_FORMAT') ? 'v2' : 'v1',
  }
}

function modeOf(effective: ReadonlySet<string>): Mode {
  if (!effective.has('ASYNC_OPERATIONS')) return 'bundled'
  return effective.has('JOINED_STAGES') ? 'joined' : 'staged'
}

/** Whether two sides that work so can compare sets: claims are compared in one format only. */
export function canCompareSets(effective: ReadonlySet<string>): boolean {
  const { mode, format } = mannerOf(effective)
  return effective.has('SET_SUMS') && mode === 'joined' && format === 'v2'
}

/** An FSIC as the engine takes it: missing or empty says "I have nothing" (protocol §5). */
export function knownFsic(fsic: string, format: FsicFormat): string {
  const text = fsic.trim()
  if (text !== '' && text !== '{}') return fsic
  return format === 'v2' ? '{"sub": {}, "super": {}}' : '{}'
}

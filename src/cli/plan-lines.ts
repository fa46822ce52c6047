import type { PlannedTransfer, SyncPlan } from '../session/foresee.ts'
import { bytes, count, counted, oneLine } from './format.ts'
import type { Paint } from './paint.ts'
import { type Column, tableLines } from './table.ts'

/** What a sync would do. */
export function planLines(
  plan: SyncPlan,
  { peer, paint }: { readonly peer: string; readonly paint: Paint },
): string[] {
  const { transfers, conflicts, unserializable } = plan
  const idle = transfers.every(({ records }) => records === 0)
  const nothing = transfers.map(({ direction }) => `nothing to ${direction}`).join(', ')
  const headline = idle
    ? `A sync with ${oneLine(peer)} has ${nothing}.`
    : `A sync with ${oneLine(peer)} would do this. Nothing was changed.`
  const lines = [paint.bold(headline), '']
  for (const { direction, records } of transfers) lines.push(field(direction, counted(records, 'record')))
  if (transfers.some(({ direction }) => direction === 'pull'))
    lines.push(field('conflicts', foreseen(conflicts)))
  if (unserializable > 0) {
    const rows = `${counted(unserializable, 'changed row')} cannot be sent: see morango problems after the sync`
    lines.push(paint.yellow(field('problems', rows)))
  }
  const known = transfers.filter(({ models }) => models !== undefined && models.length > 0)
  if (known.length > 0)
    lines.push('', ...modelTable(known).map((line, i) => (i === 0 ? paint.dim(line) : line)))
  if (transfers.some(({ models }) => models === undefined)) {
    lines.push('', 'The peer tells how many records it has for us, but not which.')
  }
  return lines
}

function foreseen(conflicts: number | undefined): string {
  if (conflicts === undefined) return 'not known before the sync'
  return conflicts === 0 ? 'none' : `${counted(conflicts, 'record')} changed on both sides`
}

function modelTable(transfers: readonly PlannedTransfer[]): string[] {
  const columns: Column[] = [
    { title: '' },
    { title: 'model' },
    { title: 'records', align: 'right' },
    { title: 'deletions', align: 'right' },
    { title: 'uncompressed', align: 'right' },
  ]
  const rows = transfers.flatMap(({ direction, models = [] }) =>
    models.map((model) => [
      direction,
      oneLine(model.model),
      count(model.records),
      count(model.deletions),
      bytes(model.bytes),
    ]),
  )
  return tableLines(columns, rows).map((line) => `  ${line}`)
}

function field(name: string, value: string): string {
  return `  ${name.padEnd(11)}${value}`
}

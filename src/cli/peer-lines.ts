import type { LastTransfer, PeerSummary } from '../session/peers.ts'
import { count, counted, localTime, oneLine, sentence, wrap } from './format.ts'
import type { Paint } from './paint.ts'

/** Who was synced with, some lines each. */
export function peerLines(
  peers: readonly PeerSummary[],
  { width, paint }: { readonly width: number; readonly paint: Paint },
): string[] {
  if (peers.length === 0) return ['No peers yet: nothing was synced.']
  return peers.flatMap((peer, i) => [...(i === 0 ? [] : ['']), ...onePeer(peer, width, paint)])
}

function onePeer(peer: PeerSummary, width: number, paint: Paint): string[] {
  const { instance, role, address, lastAttemptAt, lastSuccessAt, lastError, sent, received, openSessions } =
    peer
  const called =
    instance === undefined
      ? 'never reached'
      : oneLine(instance.hostname === undefined ? instance.name : `${instance.name} (${instance.hostname})`)
  const where =
    role === 'server' ? oneLine(address) : `comes here${address === '' ? '' : ` from ${oneLine(address)}`}`
  const success = lastSuccessAt === undefined ? 'never' : localTime(lastSuccessAt)
  const tried =
    lastSuccessAt !== undefined && lastError === undefined ? '' : `; last tried ${localTime(lastAttemptAt)}`
  const lines = [paint.bold(`${called}  ${where}`)]
  if (instance !== undefined) lines.push(...field('instance', instance.id, width))
  lines.push(...field('synced', success + tried, width))
  if (lastError !== undefined) {
    const text = sentence(oneLine(lastError.message))
    lines.push(...field('failed', text, width).map((line) => paint.yellow(line)))
  }
  if (received !== undefined) lines.push(...field('received', transfer(received), width))
  if (sent !== undefined) lines.push(...field('sent', transfer(sent), width))
  lines.push(...progress(peer, width, paint))
  if (openSessions > 0) {
    const advice = `${counted(openSessions, 'session')}: a sync under way, parked, or broken off`
    lines.push(...field('open', advice, width))
  }
  return lines
}

function transfer({ at, filter, complete, recordsTransferred, recordsTotal }: LastTransfer): string {
  const amount = complete
    ? counted(recordsTransferred, 'record')
    : `${count(recordsTransferred)} of ${recordsTotal === null ? '?' : count(recordsTotal)} records, not finished`
  return `${localTime(at)}, ${amount}, filter ${oneLine(filter)}`
}

function progress({ progress: how }: PeerSummary, width: number, paint: Paint): string[] {
  if (how === undefined) return []
  const { counter, ownCounter, records } = how
  const has =
    counter === undefined
      ? 'nothing of ours is known to be there'
      : `has ours up to ${count(counter)} of ${count(ownCounter)}`
  if (records === 0) return field('progress', `${has}; lacks no record of that filter`, width)
  const since = `${has}; ${counted(records, 'record')} to send`
  return field('progress', since, width).map((line) => paint.yellow(line))
}

function field(name: string, text: string, width: number): string[] {
  const [first = '', ...rest] = wrap(text, width - 13)
  return [`  ${name.padEnd(10)}${first}`, ...rest.map((line) => ' '.repeat(12) + line)]
}

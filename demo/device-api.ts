import type { Row, Value } from './databases/app-database.ts'
import type { Place } from './gazetteer.ts'

/** What the demo can ask of a device. Every call goes to another process and is answered from there. */
export interface DeviceApi {
  /** Makes the root certificate and gives its id, with which all partitions of the dataset begin. */
  createRoot(): Promise<string>
  /** Writes countries of GeoNames to the application's tables; all there are, without `codes`. */
  survey(datasetId: string, codes: readonly string[] | undefined): Promise<SurveyedCountry[]>
  /** Asks the device at `url` for a certificate. */
  requestCertificate(url: string, wish: Wish, password: string): Promise<void>
  /** Gives the device at `url` a certificate below our root, so that it can answer for the dataset. */
  giveCertificate(url: string, wish: Wish): Promise<void>
  sync(url: string, filter: string): Promise<SyncResult>
  /** Inserts a place by plain SQL, with an id that Morango made. */
  addPlace(place: Omit<Place, 'id'>): Promise<string>
  /** Runs a statement as any program would, without Morango. Gives how many rows it changed. */
  write(sql: string, ...values: Value[]): Promise<number>
  deleteHard(model: string, id: string): Promise<void>
  query(sql: string, ...values: Value[]): Promise<Row[]>
  /** By country id. */
  digests(): Promise<ReadonlyMap<string, Digest>>
  /** Searches every column of every table. */
  search(text: string): Promise<SearchResult>
  close(): Promise<void>
}

export interface SurveyedCountry {
  readonly id: string
  readonly code: string
  readonly name: string
  readonly regions: number
  readonly places: number
}

/** Which certificate is wanted: a scope of the profile, and its parameters. */
export interface Wish {
  readonly scope: string
  readonly params: { readonly dataset_id: string; readonly country_id?: string }
}

export interface SyncResult {
  readonly received: number
  readonly sent: number
  readonly conflicts: number
  /** Records that wait with a problem. */
  readonly waiting: number
  readonly roundTrips: number
  /** Over the connection, both ways, headers left out. */
  readonly bytes: number
}

/** What a country's rows come to. */
export interface Digest {
  readonly rows: number
  /** Over the rows of the country, its regions and its places, in order. */
  readonly sha256: string
}

export interface SearchResult {
  readonly tables: number
  /** The tables in which the text was found. */
  readonly found: readonly string[]
}

/** From the demo to a device. */
export interface Call {
  readonly id: number
  readonly name: keyof DeviceApi
  readonly args: readonly unknown[]
}

/** From a device to the demo. */
export type Message =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure }

export interface Failure {
  readonly message: string
  /** The code of a `MorangoError`. */
  readonly code: string | undefined
  /** The HTTP status, where a peer answered with one. */
  readonly status: number | undefined
}

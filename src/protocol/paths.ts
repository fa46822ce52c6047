/** Where the calls live, relative to a base URL that ends in `/` (protocol §4). */
export const API_PATH = 'api/morango/v1/'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

interface ResourceMethods {
  readonly collection?: readonly Method[]
  readonly item?: readonly Method[]
}

/** The first segment of a call's path. */
export type Resource =
  | 'morangoinfo'
  | 'nonces'
  | 'certificates'
  | 'publickey'
  | 'certificatechain'
  | 'syncsessions'
  | 'transfersessions'
  | 'buffers'

/** Which methods each resource knows, on itself and on one item of it. */
const RESOURCES: Readonly<Record<Resource, ResourceMethods>> = {
  morangoinfo: { item: ['GET'] },
  nonces: { collection: ['POST'] },
  certificates: { collection: ['GET', 'POST'], item: ['GET'] },
  publickey: { collection: ['GET'], item: ['GET'] },
  certificatechain: { collection: ['POST'] },
  syncsessions: { collection: ['POST'], item: ['GET', 'DELETE'] },
  // PUT is known, so that it can be refused in the original's words.
  transfersessions: { collection: ['POST'], item: ['GET', 'PUT', 'PATCH', 'DELETE'] },
  buffers: { collection: ['GET', 'POST'] },
}

/** Whether `segment` names a resource. */
export function isResource(segment: string): segment is Resource {
  return Object.hasOwn(RESOURCES, segment)
}

/** The path of a resource, or of one item of it, relative to the base URL. */
export function resourcePath(resource: Resource, id?: string): string {
  return id === undefined ? `${API_PATH}${resource}/` : `${API_PATH}${resource}/${encodeURIComponent(id)}/`
}

/** The methods of a resource or of an item of it; none where there is no such path. */
export function methodsOf(resource: Resource, place: 'collection' | 'item'): readonly Method[] {
  return RESOURCES[resource][place] ?? []
}

/** The `Allow` header for these methods. */
export function allowHeader(methods: readonly Method[]): string {
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
}

import { PASSWORD, type Peer, USERNAME } from './peer.ts'

/** A client and a server with certificates, the client's below the server's. */
export interface Pair {
  readonly client: Peer
  readonly server: Peer
  /** The root certificate's id. */
  readonly dataset: string
}

/** Gives the server a root certificate and the client one below it. */
export async function introduce(client: Peer, server: Peer): Promise<Pair> {
  const dataset = await server.root({ scope: 'full' })
  await certify(client, server, dataset)
  return { client, server, dataset }
}

/** Gives the client a certificate for the whole dataset below one of the server's. */
export async function certify(client: Peer, server: Peer, dataset: string): Promise<void> {
  await client.request({
    url: server.url,
    dataset,
    scope: 'full',
    params: { dataset_id: dataset },
    username: USERNAME,
    password: PASSWORD,
  })
}

import { expect } from 'vitest'
import type { Kind } from '../attempt.ts'
import { honestly } from '../layer.ts'
import { PASSWORD, root } from '../world.ts'

/** No attack at all: what the checks are worth is seen here. */
export const controls: Kind = {
  kind: 'an honest server',
  strangers: true,
  attempts: [
    {
      name: 'gives its records, and takes the client’s',
      outcome: 'harmless',
      tamper: () => honestly,
      after: async ({ world, fresh, made, mark }) => {
        for (const id of fresh) {
          expect((await world.client.row('book', id))?.['title']).toBe(`from the server ${mark}`)
        }
        expect(await world.server.row('book', made)).toBeDefined()
        expect(await world.client.morango.conflicts.count()).toBe(1)
      },
    },
    {
      name: 'is synced with by format v1 and step by step',
      outcome: 'harmless',
      without: ['FSIC_V2_FORMAT', 'ASYNC_OPERATIONS', 'JOINED_STAGES'],
      tamper: () => honestly,
      after: async ({ world, fresh, mark }) => {
        expect((await world.client.row('book', fresh[0]))?.['title']).toBe(`from the server ${mark}`)
      },
    },
    {
      name: 'is sent the password once, where a certificate is asked for',
      outcome: 'harmless',
      passwords: 1,
      tamper: () => honestly,
      run: async (peer, { world }) => {
        const { id } = await world.client.morango.certificates.request(peer, {
          scopeDefinition: 'owner',
          scopeParams: { root: root.certificate.id, owner: 'u1' },
          primaryPartition: root.certificate.id,
          credentials: { username: 'ana', password: PASSWORD },
        })
        // The check of what is kept is about certificates that nobody asked for.
        await world.client.database.kysely.deleteFrom('morango_certificate').where('id', '=', id).execute()
      },
    },
  ],
}

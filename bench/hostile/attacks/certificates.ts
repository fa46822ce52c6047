import { certificateToItem } from '../../../src/core/certificate.ts'
import { MAX_CERTIFICATE_TEXT, MAX_CHAIN } from '../../../src/core/limits.ts'
import type { OwnCertificate } from '../../../src/core/certificate-create.ts'
import { TEST_KEY_PAIR } from '../../../src/testing/keys.ts'
import type { Attack } from '../attack.ts'
import { send, sendWell, sessionRequest } from '../caller.ts'
import { below, OWNER, PASSWORD, type Target } from '../target.ts'

/** Certificates, as many and as long as they may be. */
export const CERTIFICATES: readonly Attack[] = [
  {
    name: 'syncsessions/ with the longest chain',
    signedIn: true,
    prepare: async (target) => {
      const body = await sessionRequest(target, await longestChain(target))
      return async () => [await send(target, { path: 'syncsessions/', body })]
    },
  },
  {
    name: 'certificatechain/ with the longest chain',
    signedIn: true,
    prepare: async (target) => {
      const nonce = await sendWell(target, { path: 'nonces/', body: {} })
      const [first = {}, ...rest] = (await longestChain(target)).map(({ certificate }) =>
        certificateToItem(certificate),
      )
      const body = [first, ...rest.slice(0, -1), { ...rest.at(-1), nonce: String(Reflect.get(nonce, 'id')) }]
      return async () => [await send(target, { path: 'certificatechain/', body })]
    },
  },
  {
    name: 'signing request, scope of the longest texts',
    signedIn: true,
    prepare: async (target) => {
      const scope_params = JSON.stringify({
        root: target.attacker.root,
        owner: 'x'.repeat(MAX_CERTIFICATE_TEXT - 100),
      })
      return async () => [await send(target, signing(target, scope_params))]
    },
  },
  {
    name: 'signing requests, 50 at once',
    signedIn: true,
    prepare: async (target) => {
      const scope_params = JSON.stringify({ root: target.attacker.root, owner: OWNER })
      return async () =>
        await Promise.all(
          Array.from({ length: 50 }, async () => await send(target, signing(target, scope_params))),
        )
    },
  },
]

async function longestChain({ attacker }: Target): Promise<OwnCertificate[]> {
  const chain = [...attacker.chain]
  let last = attacker.chain[1]
  while (chain.length < MAX_CHAIN) {
    // oxlint-disable-next-line no-await-in-loop
    last = await below(last, OWNER)
    chain.push(last)
  }
  return chain
}

function signing(target: Target, scope_params: string): Parameters<typeof send>[1] {
  return {
    path: 'certificates/',
    headers: { authorization: `Basic ${btoa(`mallory:${PASSWORD}`)}` },
    body: {
      parent: target.attacker.root,
      profile: 'library',
      scope_definition: 'owner',
      scope_version: 1,
      scope_params,
      public_key: TEST_KEY_PAIR.publicKey,
    },
  }
}

import { createChildCertificate, createRootCertificate } from '../core/certificate-create.ts'
import type { OwnCertificate } from '../core/certificate-create.ts'
import { MorangoError } from '../core/errors.ts'
import type { Filter } from '../core/filter.ts'
import type { Random, Signer } from '../core/ports.ts'
import { pythonStringify } from '../core/python-json.ts'
import type { JsonValue } from '../core/python-json.ts'
import { type Scope, scopeOf } from '../core/scope.ts'
import { createSigner } from '../crypto/webcrypto-signer.ts'
import type { Profile } from '../models/profile.ts'
import { TEST_KEY_PAIR } from './keys.ts'

/** Which certificate a peer has: of which scope, with which parameters besides the root's. */
export interface TestScope {
  readonly scope: string
  readonly params?: Readonly<Record<string, JsonValue>> | undefined
}

/** The certificates of one profile in a test network. */
export interface TestAuthority {
  readonly root: OwnCertificate
  /** What a certificate of that scope, or the root itself, allows. */
  scopeOf(wanted: TestScope | undefined): Scope
  /** A certificate below the root. */
  issue(wanted: TestScope): Promise<OwnCertificate>
}

const signer: Signer = createSigner()

/**
 * Makes the root certificate of a profile. Its id depends on the profile's name alone.
 *
 * @throws MorangoError `invalid-argument` when the profile has no scope that makes root certificates
 */
export async function createTestAuthority(profile: Profile, random: Random): Promise<TestAuthority> {
  const rootDefinition = Object.values(profile.scopes).find(
    ({ primaryScopeParamKey }) => primaryScopeParamKey !== '',
  )
  if (rootDefinition === undefined) {
    throw new MorangoError(
      'invalid-argument',
      `No scope of the profile "${profile.name}" makes root certificates`,
      {
        hint: 'Give one of its scopes a `root` parameter.',
      },
    )
  }
  const root = await createRootCertificate({ signer, definition: rootDefinition, keyPair: TEST_KEY_PAIR })
  const rootId = root.certificate.id

  const find = (scope: string): (typeof profile.scopes)[string] => {
    const definition = profile.scopes[scope]
    if (definition !== undefined) return definition
    throw new MorangoError('unknown-scope-definition', `There is no scope "${scope}" in ${profile.name}.`)
  }
  const paramsOf = (params: TestScope['params']): Record<string, JsonValue> => ({
    [rootDefinition.primaryScopeParamKey]: rootId,
    ...params,
  })

  return {
    root,
    scopeOf: (wanted) =>
      wanted === undefined
        ? scopeOf(rootDefinition, root.certificate.scopeParams)
        : scopeOf(find(wanted.scope), pythonStringify(paramsOf(wanted.params))),
    async issue({ scope, params }) {
      const definition = find(scope)
      const certificate = await createChildCertificate({
        signer,
        parent: root.certificate,
        parentPrivateKeyPem: root.privateKeyPem,
        scopeDefinitionId: definition.id,
        scopeVersion: definition.version,
        scopeParams: pythonStringify(paramsOf(params)),
        publicKey: TEST_KEY_PAIR.publicKey,
        salt: random.uuid(),
      })
      return { certificate, privateKeyPem: TEST_KEY_PAIR.privateKeyPem }
    },
  }
}

/** The prefixes that both filters contain; undefined when there are none. */
export function commonFilter(a: Filter, b: Filter): Filter | undefined {
  const inside = (inner: Filter, outer: Filter): string[] =>
    inner.filter((prefix) => outer.some((other) => prefix.startsWith(other)))
  const common = [...new Set([...inside(a, b), ...inside(b, a)])].toSorted()
  return common.length === 0 ? undefined : common
}

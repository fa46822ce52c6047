import type { ScopeDefinition } from '../core/scope.ts'
import type { Profile } from './profile.ts'

/** Finds a scope definition by its id, for a certificate of that profile. */
export type FindScope = (id: string, profile?: string) => ScopeDefinition | undefined

/**
 * Looks up the scopes of profiles. Two profiles may have different scopes of one id: of a profile that is known here
 * only its own count. For any other, and without a profile, the first of that id does, so that what is wrong with the
 * profile can be said.
 */
export function findScopeIn(profiles: readonly Pick<Profile, 'name' | 'scopes'>[]): FindScope {
  const byProfile = new Map(
    profiles.map(({ name, scopes }) => [name, new Map(Object.entries(scopes))] as const),
  )
  return (id, profile) => {
    const own = profile === undefined ? undefined : byProfile.get(profile)
    if (own !== undefined) return own.get(id)
    for (const scopes of byProfile.values()) {
      const found = scopes.get(id)
      if (found !== undefined) return found
    }
    return undefined
  }
}

import { parseScopeParams } from '../core/scope.ts'
import type { Credentials, SigningRequest } from '../protocol/messages.ts'
import { detailError } from './answers.ts'
import type { ServiceOptions } from './service-context.ts'

const FORBIDDEN = 'You do not have permission to perform this action.'

/**
 * Asks the application whether whoever sent a signing request may have that scope (protocol §4). Without an
 * `authorize` nobody may.
 *
 * @throws MorangoError `unauthenticated`, `forbidden`
 */
export async function admitApplicant(
  options: ServiceOptions,
  request: SigningRequest,
  credentials: Credentials | undefined,
): Promise<void> {
  if (credentials === undefined) {
    throw detailError('unauthenticated', 'Authentication credentials were not provided.')
  }
  const { username, password } = credentials
  const scopeParams = readParams(request.scope_params)
  const verdict =
    (await options.authorize?.(
      { username, password, fields: userFields(username) },
      {
        profile: request.profile,
        scopeDefinition: request.scope_definition,
        // An applicant who is not known is told so, whatever the scope.
        scopeParams: scopeParams ?? {},
        parentId: request.parent,
      },
    )) ?? false
  if (verdict === 'unauthenticated') throw detailError('unauthenticated', 'Invalid credentials.')
  if (verdict !== true || scopeParams === undefined) throw detailError('forbidden', FORBIDDEN)
}

/** A user name of the form `key=value&key=value`, not percent-encoded (protocol §4). */
function userFields(username: string): Record<string, string> {
  if (!username.includes('=')) return {}
  const pairs = username.split('&').flatMap((pair): [string, string][] => {
    const equals = pair.indexOf('=')
    return equals < 0 ? [] : [[pair.slice(0, equals), pair.slice(equals + 1)]]
  })
  return Object.fromEntries(pairs)
}

function readParams(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const params = parseScopeParams(text)
    return Object.keys(params).length === 0 ? undefined : params
  } catch {
    return undefined
  }
}

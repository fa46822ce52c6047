import { MorangoError, isMorangoError } from '../core/errors.ts'
import { grantedScope, paramsUsed, scopeOf } from '../core/scope.ts'
import type { Scope, ScopeDefinition } from '../core/scope.ts'
import { parseScopeParams } from '../core/scope-params.ts'
import { scopeWithin } from '../core/scope-within.ts'
import type { TemplateParams } from '../core/template.ts'
import type { Credentials, SigningRequest } from '../protocol/messages.ts'
import type { Caller } from '../protocol/peer.ts'
import { detailError } from './answers.ts'
import type { Authorization, CertificateWish, ServiceOptions } from './service-context.ts'

const FORBIDDEN = 'You do not have permission to perform this action.'

/**
 * Asks the application whether whoever sent a signing request may have that scope (protocol §4). Without an
 * `authorize` nobody may. Who is not known is told so, whatever the request. What comes of parameters that make no
 * scope, `authorize` never sees: it is asked with none, only to find out whether the applicant is known.
 *
 * @throws MorangoError `unauthenticated`, `forbidden`; `certificate-malformed` for parameters that make no scope,
 * once the applicant is known
 */
export async function admitApplicant(
  options: ServiceOptions,
  request: SigningRequest,
  credentials: Credentials | undefined,
  caller: Caller,
): Promise<void> {
  if (credentials === undefined) {
    throw detailError('unauthenticated', 'Authentication credentials were not provided.')
  }
  const wanted = readWanted(options, request)
  const verdict = await ask(
    options,
    credentials,
    wishOf(request, wanted, caller),
    wanted.problem !== undefined,
  )
  if (verdict === 'unauthenticated') throw detailError('unauthenticated', 'Invalid credentials.')
  if (wanted.problem !== undefined && options.authorize !== undefined) throw wanted.problem
  if (verdict !== true) throw detailError('forbidden', FORBIDDEN)
}

/** What a request comes to. */
interface Wanted {
  readonly params: Readonly<Record<string, unknown>>
  /** Undefined when there is none. */
  readonly scope: Scope | undefined
  /** Why there is none. Undefined also when the definition is not known: that is said later, as by the original. */
  readonly problem: MorangoError | undefined
}

function readWanted(options: ServiceOptions, request: SigningRequest): Wanted {
  try {
    const params = parseScopeParams(request.scope_params)
    if (Object.keys(params).length === 0) throw detailError('forbidden', FORBIDDEN)
    const definition = options.scopeDefinition(request.scope_definition, request.profile)
    if (definition === undefined) return { params, scope: undefined, problem: undefined }
    const scope = grantedScope(scopeOf(definition, params))
    return { params: usedOf(definition, params), scope, problem: undefined }
  } catch (error) {
    if (!isMorangoError(error)) throw error
    // As the original: what is no object with members is not permitted.
    const plain = error.code !== 'certificate-malformed' || error.details['object'] === false
    const problem = plain ? detailError('forbidden', FORBIDDEN) : fieldProblem(error)
    return { params: {}, scope: undefined, problem }
  }
}

/** Without those that change nothing: an application would believe that it had compared something. */
function usedOf(definition: ScopeDefinition, params: TemplateParams): TemplateParams {
  const used = paramsUsed(definition)
  return Object.fromEntries(Object.entries(params).filter(([name]) => used.has(name)))
}

function fieldProblem({ message, hint }: MorangoError): MorangoError {
  const body = { scope_params: [`${message}.`] }
  return new MorangoError('certificate-malformed', message, {
    details: { body },
    ...(hint !== undefined && { hint }),
  })
}

async function ask(
  options: ServiceOptions,
  { username, password }: Credentials,
  wish: CertificateWish,
  onlyWho: boolean,
): Promise<Authorization> {
  if (options.authorize === undefined) return false
  try {
    return await options.authorize({ username, password, fields: userFields(username) }, wish)
  } catch (error) {
    // It may not expect that there are no parameters.
    if (onlyWho) return false
    throw error
  }
}

function wishOf(request: SigningRequest, { params, scope }: Wanted, { ip }: Caller): CertificateWish {
  return {
    profile: request.profile,
    scopeDefinition: request.scope_definition,
    scopeVersion: request.scope_version,
    scopeParams: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, plainValue(value)])),
    scope: scope ?? { read: [], write: [] },
    isWithin: (allowed) => scope !== undefined && scopeWithin(scope, allowed),
    parentId: request.parent,
    publicKey: request.public_key,
    address: ip,
  }
}

/** Integers as applications compare them. */
function plainValue(value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
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

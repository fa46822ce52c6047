import type { Certificate } from '../core/certificate.ts'
import { MorangoError, isMorangoError } from '../core/errors.ts'
import type { Filter } from '../core/filter.ts'
import { transferPermitted } from '../core/scope.ts'
import type { Scope } from '../core/scope.ts'
import { certificateScope } from './certificates.ts'
import type { CertificateDeps } from './certificates.ts'

/** A transfer and the two certificates that must allow it. */
export interface ScopedTransfer {
  readonly push: boolean
  readonly filter: Filter
  readonly client: Certificate
  readonly server: Certificate
}

/**
 * Why two certificates do not permit a transfer, in the original's words; undefined when they do. A certificate whose
 * parameters make no scope permits nothing: it may have been saved by a release that took them.
 *
 * @throws MorangoError `unknown-scope-definition`
 */
export function scopeRefusal(deps: CertificateDeps, transfer: ScopedTransfer): string | undefined {
  const { push, filter } = transfer
  const server = scopeOrRefusal(deps, transfer.server)
  if (typeof server === 'string') return server
  const client = scopeOrRefusal(deps, transfer.client)
  if (typeof client === 'string') return client
  const permission = transferPermitted({ push, filter, server, client })
  return permission.permitted ? undefined : REFUSALS[permission.side][push ? 'push' : 'pull']
}

function scopeOrRefusal(deps: CertificateDeps, certificate: Certificate): Scope | string {
  try {
    return certificateScope(deps, certificate)
  } catch (error) {
    if (!isMorangoError(error, 'certificate-malformed')) throw error
    return `The certificate ${certificate.id} permits nothing: ${error.message}.`
  }
}

const REFUSALS = {
  server: {
    push: 'Server certificate scope does not permit receiving pushes for the requested filter.',
    pull: 'Server certificate scope does not permit responding to pulls for the requested filter.',
  },
  client: {
    push: 'Client certificate scope does not permit pushing for the requested filter.',
    pull: 'Client certificate scope does not permit pulling for the requested filter.',
  },
} as const

/** @throws MorangoError `scope-not-permitted` with the sentence of {@link scopeRefusal} */
export function requireScope(deps: CertificateDeps, transfer: ScopedTransfer): void {
  const refusal = scopeRefusal(deps, transfer)
  if (refusal === undefined) return
  throw new MorangoError('scope-not-permitted', refusal, {
    hint: 'Use a certificate whose scope covers the filter, or a narrower filter.',
    details: { body: refusal, filter: transfer.filter },
  })
}

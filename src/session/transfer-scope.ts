import type { Certificate } from '../core/certificate.ts'
import { MorangoError } from '../core/errors.ts'
import { isFilterSubset } from '../core/filter.ts'
import type { Filter } from '../core/filter.ts'
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
 * Why two certificates do not permit a transfer, in the original's words; undefined when they do. The
 * server's is looked at first, as in the original (protocol §4).
 *
 * @throws MorangoError `unknown-scope-definition`, `certificate-malformed`
 */
export function scopeRefusal(deps: CertificateDeps, transfer: ScopedTransfer): string | undefined {
  const { push, filter } = transfer
  const server = certificateScope(deps, transfer.server)
  if (!isFilterSubset(filter, push ? server.read : server.write)) {
    const what = push ? 'receiving pushes' : 'responding to pulls'
    return `Server certificate scope does not permit ${what} for the requested filter.`
  }
  const client = certificateScope(deps, transfer.client)
  if (!isFilterSubset(filter, push ? client.write : client.read)) {
    const what = push ? 'pushing' : 'pulling'
    return `Client certificate scope does not permit ${what} for the requested filter.`
  }
  return undefined
}

/** @throws MorangoError `scope-not-permitted` with the sentence of {@link scopeRefusal} */
export function requireScope(deps: CertificateDeps, transfer: ScopedTransfer): void {
  const refusal = scopeRefusal(deps, transfer)
  if (refusal === undefined) return
  throw new MorangoError('scope-not-permitted', refusal, {
    hint: 'Use a certificate whose scope covers the filter, or a narrower filter.',
    details: { body: refusal, filter: transfer.filter },
  })
}

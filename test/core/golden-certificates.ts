import type { CertificateItem } from '../../src/core/certificate.ts'
import type { ScopeDefinition } from '../../src/core/scope.ts'
import { golden } from './golden.ts'

export interface ChainVector {
  readonly label: string
  readonly chain: CertificateItem[]
  readonly expected_last_id: string | null
  readonly result: { ok: boolean; saved: string[]; error?: string; message?: string }
}

export const certificates: {
  readonly scope_definitions: {
    id: string
    profile: string
    version: number
    primary_scope_param_key: string
    description: string
    read_filter_template: string
    write_filter_template: string
    read_write_filter_template: string
  }[]
  readonly private_key_index: Record<string, number>
  readonly id_input: Record<string, string>
  readonly ancestors_of: Record<string, { id: string; json: CertificateItem[] }>
  readonly chains: ChainVector[]
} = golden('certificates')

export const keys: {
  readonly keys: {
    private_key_pem: string
    public_key_string: string
    python_rsa_public_key_string: string
    signatures: { message: string; signature: string }[]
    verify: { message: string; signature: string; valid: boolean }[]
  }[]
  readonly public_key_inputs: { label: string; input: string; public_key_string?: string }[]
} = golden('keys')

const definitions: ReadonlyMap<string, ScopeDefinition> = new Map(
  certificates.scope_definitions.map((row) => [
    row.id,
    {
      id: row.id,
      profile: row.profile,
      version: row.version,
      primaryScopeParamKey: row.primary_scope_param_key,
      description: row.description,
      readFilterTemplate: row.read_filter_template,
      writeFilterTemplate: row.write_filter_template,
      readWriteFilterTemplate: row.read_write_filter_template,
    },
  ]),
)

export function findScopeDefinition(id: string): ScopeDefinition | undefined {
  return definitions.get(id)
}

export function scopeDefinition(id: string): ScopeDefinition {
  const definition = findScopeDefinition(id)
  if (definition === undefined) throw new Error(`No scope definition ${id}`)
  return definition
}

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MorangoError } from '../../src/core/errors.ts'
import { decodeRequest } from '../../src/protocol/decode.ts'
import {
  certificateListSchema,
  decodeBufferPage,
  decodeBufferRecords,
  signingRequestSchema,
  syncSessionRequestSchema,
  transferSessionPatchSchema,
  transferSessionRequestSchema,
  transferSessionViewSchema,
} from '../../src/protocol/messages.ts'
import { explainPeerError } from '../../src/protocol/peer-error.ts'
import { ID, OTHER, item, record, syncSessionRequest } from '../transport/fake-service.ts'

function problems(read: () => unknown): unknown {
  try {
    read()
  } catch (error) {
    if (error instanceof MorangoError && error.code === 'malformed-message') return error.details.fields
    throw error
  }
  return 'none'
}

describe('requests', () => {
  it('to start a transfer', () => {
    const request = { id: ID, filter: 'a', push: false, sync_session_id: ID }
    const read = (changes: object): unknown =>
      decodeRequest(transferSessionRequestSchema, { ...request, ...changes })
    expect(
      read({ sync_session_id: 'BBBBBBBB-bbbb-bbbb-bbbb-bbbbbbbbbbbb', client_fsic: '', other: 1 }),
    ).toEqual({
      ...request,
      sync_session_id: OTHER,
      client_fsic: '{}',
    })
    expect(
      problems(() =>
        read({ push: 'false', id: 'xyz', filter: undefined, client_fsic: {}, records_total: -1 }),
      ),
    ).toEqual({
      id: ['Must be a valid UUID.'],
      filter: ['This field is required.'],
      push: ['Must be a valid boolean.'],
      client_fsic: ['Not a valid string.'],
      records_total: ['Ensure this value is greater than or equal to 0.'],
    })
    expect(problems(() => read({ push: null }))).toEqual({ push: ['This field may not be null.'] })
    expect(problems(() => decodeRequest(transferSessionRequestSchema, []))).toEqual({
      non_field_errors: ['Expected an object.'],
    })
  })

  it('to change a transfer', () => {
    const read = (patch: object): unknown => decodeRequest(transferSessionPatchSchema, patch)
    expect(read({ records_total: '12', records_transferred: null, filter: 'zzz', active: false })).toEqual({
      records_total: 12,
    })
    expect(
      problems(() => read({ records_total: 'many', transfer_stage: 'nosuch', bytes_sent: true })),
    ).toEqual({
      records_total: ['A valid integer is required.'],
      transfer_stage: ['Not a stage of a transfer.'],
      bytes_sent: ['A valid integer is required.'],
    })
    expect(problems(() => read({ records_total: 2 ** 31 }))).toMatchObject({
      records_total: [expect.any(String)],
    })
    expect(read({ bytes_sent: 2 ** 40 })).toEqual({ bytes_sent: 2 ** 40 })
  })

  it('to start a session take the chain as text or list', () => {
    const request = syncSessionRequest()
    for (const chain of [JSON.stringify(request.certificate_chain), request.certificate_chain]) {
      expect(decodeRequest(syncSessionRequestSchema, { ...request, certificate_chain: chain })).toEqual(
        request,
      )
    }
    const { id, signature, serialized } = item()
    const lying = [{ id, signature, serialized, profile: 'another', scope_params: '{}' }]
    expect(decodeRequest(syncSessionRequestSchema, { ...request, certificate_chain: lying })).toMatchObject({
      certificate_chain: [item()],
    })
    // What is signed is not respelt.
    const dashed = '404de9ce-5a7a-461d-bee3-7c45ad0fc15c'
    const bad = { id: dashed, nonce: 'xyz', instance: '', certificate_chain: '[{}]' }
    expect(problems(() => decodeRequest(syncSessionRequestSchema, { ...request, ...bad }))).toMatchObject({
      id: [expect.stringContaining('UUID')],
      nonce: [expect.stringContaining('UUID')],
      instance: ['This field may not be blank.'],
    })
    expect(
      problems(() => decodeRequest(syncSessionRequestSchema, { ...request, certificate_chain: '[{}]' })),
    ).toEqual({
      certificate_chain: ['0.serialized: This field is required.', '0.signature: This field is required.'],
    })
    for (const chain of ['', '{', '{}', 7]) {
      expect(
        problems(() => decodeRequest(syncSessionRequestSchema, { ...request, certificate_chain: chain })),
      ).toEqual({
        certificate_chain: ['Expected a JSON list of certificates.'],
      })
    }
  })

  it('to sign', () => {
    expect(
      problems(() =>
        decodeRequest(signingRequestSchema, { parent: null, profile: 'x'.repeat(21), scope_params: {} }),
      ),
    ).toEqual({
      parent: ['Parent certificate (to sign the requested certificate) must be specified!'],
      profile: ['Ensure this field has no more than 20 characters.'],
      scope_definition: ['This field is required.'],
      scope_version: ['This field is required.'],
      scope_params: ['Not a valid string.'],
      public_key: ['This field is required.'],
    })
  })
})

describe('buffer records', () => {
  it('are taken as they are, older ones completed', () => {
    const records = [record(1), record(2, { last_saved_counter: 2 ** 31 - 1, rmcb_list: [] })]
    expect(decodeBufferRecords(records)).toEqual(records)
    expect(decodeBufferRecords(records[0])).toEqual(records.slice(0, 1))
    const { _self_ref_fk, hard_deleted, ...old } = record(3)
    expect(decodeBufferRecords([old])).toEqual([{ ...old, _self_ref_fk, hard_deleted }])
  })

  it.each([
    [{ deleted: 'false' }, { deleted: ['Must be a valid boolean.'] }],
    [{ serialized: {} }, { serialized: ['Not a valid string.'] }],
    [{ serialized: 'a\0' }, { serialized: ['Not a valid string.'] }],
    [{ serialized: '\ud800' }, { serialized: ['Not a valid string.'] }],
    [{ profile: undefined }, { profile: ['This field is required.'] }],
    [
      { last_saved_counter: 2 ** 31 },
      { last_saved_counter: ['An integer from 0 to 2147483647 is required.'] },
    ],
    [{ last_saved_counter: 1.5 }, { last_saved_counter: ['An integer from 0 to 2147483647 is required.'] }],
    [{ last_saved_instance: ID.toUpperCase() }, { last_saved_instance: [expect.any(String)] }],
    [{ _self_ref_fk: null }, { _self_ref_fk: ['This field may not be null.'] }],
    [{ extra: 1 }, { extra: ['Unknown field.'] }],
    [{ rmcb_list: 'x' }, { rmcb_list: ['Expected a list.'] }],
    [{ rmcb_list: [7] }, { rmcb_list: ['0.entry: Expected an object.'] }],
    [
      { rmcb_list: [{ transfer_session: ID, model_uuid: ID, instance_id: ID, counter: 1, more: 2 }] },
      { rmcb_list: ['0.more: Unknown field.'] },
    ],
    [
      { rmcb_list: [{ transfer_session: ID, model_uuid: undefined, instance_id: ID, counter: 1 }] },
      { rmcb_list: ['0.model_uuid: This field is required.'] },
    ],
  ])('with %o are refused', (changes, expected) => {
    expect(problems(() => decodeBufferRecords([record(1), record(2, changes)]))).toEqual(expected)
  })

  it('of no shape at all are refused', () => {
    expect(problems(() => decodeBufferRecords('[]'))).toEqual({ non_field_errors: ['Expected a list.'] })
    expect(problems(() => decodeBufferRecords([null]))).toEqual({ non_field_errors: ['Expected an object.'] })
    expect(problems(() => decodeBufferRecords([JSON.parse('{"__proto__": 1}')]))).toMatchObject({
      serialized: [expect.any(String)],
    })
  })
})

type Reader = (sent: Sent, got: Got) => [read: unknown, expected: unknown]
type Sent = { readonly certificate_chain: string }
type Got = { readonly results: unknown }

const readView: Reader = (_, got) => [transferSessionViewSchema.parse(got), got]
const READERS: Readonly<Record<string, Reader>> = {
  'GET transfersessions': readView,
  'POST transfersessions': readView,
  'PATCH transfersessions': (sent) => [decodeRequest(transferSessionPatchSchema, sent), sent],
  'POST buffers': (sent) => [decodeBufferRecords(sent), sent],
  'GET buffers': (_, got) => [decodeBufferPage(got).records, got.results],
  'GET certificates': (_, got) => [certificateListSchema.parse(got), got],
  'POST syncsessions': (sent) => [
    decodeRequest(syncSessionRequestSchema, sent),
    { ...sent, certificate_chain: JSON.parse(sent.certificate_chain) },
  ],
}

it.each(Object.entries(READERS))('reads each %s of a recorded session', (call, read) => {
  const path = new URL('../fixtures/golden/transcript_async.json', import.meta.url)
  const { exchanges } = JSON.parse(readFileSync(path, 'utf8'))
  const pairs = []
  for (const { method, path: target, request_body: sent, response_body: got } of exchanges) {
    if (`${method} ${String(target).split('/')[4]}` === call) pairs.push(read(sent, got))
  }
  expect(pairs.length).toBeGreaterThan(1)
  expect(pairs.map(([actual]) => actual)).toEqual(pairs.map(([, expected]) => expected))
})

it.each([
  [403, 'Nonce is not valid', 'The peer refuses (403): Nonce is not valid'],
  [400, ['One.', 'Two.'], 'The peer could not accept the request (400): One. Two.'],
  [400, { push: ['Bad.'] }, 'The peer could not accept the request (400): push: Bad.'],
  [404, { detail: 'Not found.' }, 'The peer knows no such thing, or no longer (404): Not found.'],
  [
    400,
    { error_class: 'CertificateScopeNotSubset', error_message: '' },
    'The peer could not accept the request (400): CertificateScopeNotSubset',
  ],
  [502, undefined, 'The peer cannot be reached by its own gateway (502).'],
  [418, '<p>', 'The peer answered with an error (418): a page of HTML'],
])('explains %d %o', (status, body, sentence) => {
  expect(explainPeerError(status, body)).toBe(sentence)
})

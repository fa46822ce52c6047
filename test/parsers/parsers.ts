import { base64Decode } from '../../src/core/base64.ts'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { planChain } from '../../src/core/certificate-chain.ts'
import { certificateFromItem, parseCertificateText } from '../../src/core/certificate.ts'
import { boundConflictingData } from '../../src/core/conflicting-data.ts'
import {
  isFilterSubset,
  joinFilters,
  minimalPrefixes,
  parseFilter,
  prefixUpperBound,
  requireFilterLimits,
} from '../../src/core/filter.ts'
import { parseFsicV1, parseFsicV2 } from '../../src/core/fsic-text.ts'
import { parseUuid } from '../../src/core/ids.ts'
import { requireJsonBounds } from '../../src/core/json-bounds.ts'
import { networkOf } from '../../src/core/network.ts'
import { PrefixLookup } from '../../src/core/prefix-lookup.ts'
import { printable, printableJson } from '../../src/core/printable.ts'
import { publicKeyToWire } from '../../src/core/public-key.ts'
import { escapeNonAscii, mergeObject, parseJsonExact, rawValues } from '../../src/core/python-json.ts'
import { parseScopeParams, requireDistinctKeys, requireFitting } from '../../src/core/scope-params.ts'
import { scopeOf } from '../../src/core/scope.ts'
import { placeholdersOf, substitute } from '../../src/core/template.ts'
import { publicKeyDer } from '../../src/crypto/key-text.ts'
import { arrayKind } from '../../src/models/kinds/array.ts'
import { binaryKind } from '../../src/models/kinds/binary.ts'
import { booleanKind } from '../../src/models/kinds/boolean.ts'
import type { KindCodec, KindOptions } from '../../src/models/kinds/codec.ts'
import { dateTimeKind } from '../../src/models/kinds/date-time.ts'
import { dateKind } from '../../src/models/kinds/date.ts'
import { decimalKind } from '../../src/models/kinds/decimal.ts'
import { durationKind } from '../../src/models/kinds/duration.ts'
import { integerKind } from '../../src/models/kinds/integer.ts'
import { jsonKind } from '../../src/models/kinds/json.ts'
import { realKind } from '../../src/models/kinds/real.ts'
import { recordIdKind } from '../../src/models/kinds/record-id.ts'
import { textKind } from '../../src/models/kinds/text.ts'
import { timeKind } from '../../src/models/kinds/time.ts'
import { uuidKind } from '../../src/models/kinds/uuid.ts'
import { formatExact, parseExact } from '../../src/models/merge/exact-number.ts'
import { decodeBasicAuth } from '../../src/protocol/basic-auth.ts'
import { decodeBufferPage } from '../../src/protocol/buffer-page.ts'
import { decodeBufferRecords } from '../../src/protocol/buffer-record.ts'
import { parseCapabilities } from '../../src/protocol/capabilities.ts'
import {
  certificateChainSchema,
  certificateItemSchema,
  certificateListSchema,
  publicKeySchema,
} from '../../src/protocol/certificate-item.ts'
import { integer, textUpTo, uuid } from '../../src/protocol/fields.ts'
import { morangoInfoSchema } from '../../src/protocol/info.ts'
import { nonceReplySchema } from '../../src/protocol/nonce.ts'
import { explainPeerError } from '../../src/protocol/peer-error.ts'
import { quotedText } from '../../src/protocol/quoted-text.ts'
import { certificateQuerySchema, signingRequestSchema } from '../../src/protocol/signing-request.ts'
import {
  syncSessionReplySchema,
  syncSessionRequestSchema,
  syncSessionViewSchema,
} from '../../src/protocol/sync-session.ts'
import {
  transferSessionPatchSchema,
  transferSessionRequestSchema,
  transferSessionViewSchema,
} from '../../src/protocol/transfer-session.ts'
import { instanceIdIn } from '../../src/session/instance-info.ts'
import { properPrefixes } from '../../src/storage/ranges.ts'
import { refuseHost } from '../../src/transport/http/browser-guard.ts'
import { acceptsGzip } from '../../src/transport/http/reply-body.ts'
import { retryAfterMs } from '../../src/transport/http/retry.ts'
import { record } from '../transport/fake-service.ts'

const options: KindOptions = {
  field: 'f',
  nullable: true,
  storage: undefined,
  maxLength: undefined,
  scale: 4,
}

/** A column takes a text as a string of JSON, or as JSON of its own. */
function column(codec: KindCodec): readonly ((text: string) => unknown)[] {
  return [(text) => codec.decode(text), (text) => codec.decode(JSON.stringify(text))]
}

/** A codec of each kind of column. */
export const KINDS: Readonly<Record<string, KindCodec>> = {
  binary: binaryKind(options),
  boolean: booleanKind(options),
  'date and time': dateTimeKind(options),
  date: dateKind(options),
  decimal: decimalKind(options),
  duration: durationKind(options),
  integer: integerKind(options),
  json: jsonKind(options),
  real: realKind(options),
  'record id': recordIdKind(options),
  text: textKind(options),
  time: timeKind(options),
  uuid: uuidKind(options),
}

const columns = [
  ...Object.entries(KINDS),
  ['integers', arrayKind('f', 'integer', integerKind(options))] as const,
  ['texts', arrayKind('f', 'text', textKind(options))] as const,
].flatMap(([name, codec]) =>
  column(codec).map((parse, index) => [`${name}, ${index === 0 ? 'bare' : 'as a string'}`, parse] as const),
)

const everyField = (text: string): object => ({
  ...record(1),
  serialized: text,
  conflicting_serialized_data: text,
  partition: text,
  source_id: text,
  [text]: text,
})

/** The same text in every member that a message may have. */
function members(text: string, ...names: readonly string[]): object {
  return Object.fromEntries([...names, text].map((name) => [name, text]))
}

const SCOPE = {
  id: 'x',
  profile: 'x',
  version: 1,
  primaryScopeParamKey: 'a',
  description: '',
  readFilterTemplate: '${a}:${b}',
  writeFilterTemplate: '',
  readWriteFilterTemplate: '${a}',
}

/** All that reads texts of peers, by name. Each may throw. */
export const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  ...Object.fromEntries(columns),
  'a filter and its limits': (text) => requireFilterLimits(parseFilter(text)),
  'a filter within itself': (text) => isFilterSubset(parseFilter(text), parseFilter(text)),
  'filters together': (text) => joinFilters(parseFilter(text), parseFilter(text)),
  'the fewest prefixes': (text) => minimalPrefixes(parseFilter(text)),
  'the end of a range': prefixUpperBound,
  'the prefixes of a partition': properPrefixes,
  'a look-up by prefix': (text) => {
    const words = parseFilter(text)
    const lookup = new PrefixLookup(new Map(words.map((word) => [word, 1])))
    return words.map((word) => lookup.prefixesOf(word).length)
  },
  'an FSIC of format 1': parseFsicV1,
  'an FSIC of format 2': parseFsicV2,
  'exact JSON': parseJsonExact,
  'the members of a record': rawValues,
  'a merged record': (text) => mergeObject(text, [{ key: 'a', raw: '1' }]),
  'the form of JSON that is compared': canonicalJson,
  'escapes of JSON': escapeNonAscii,
  'bounds of JSON': (text) => requireJsonBounds(text, { depth: 32, values: 1000 }),
  'scope parameters': parseScopeParams,
  'keys of scope parameters': requireDistinctKeys,
  'a scope parameter': (text) => requireFitting('a', text, true),
  'a template': (text) => substitute(text, { a: 'x' }),
  'placeholders of a template': placeholdersOf,
  'a certificate': parseCertificateText,
  'a certificate of an item': (text) => certificateFromItem({ id: text, serialized: text, signature: text }),
  'a chain and its links': (text) => planChain([{ id: text, serialized: text, signature: text }]),
  'a scope': (text) => scopeOf(SCOPE, text),
  'a scope of a parameter': (text) => scopeOf(SCOPE, { a: text, b: text }),
  'the scope of a definition': (text) => scopeOf({ ...SCOPE, readFilterTemplate: text }, { a: 'x', b: 'y' }),
  'lost versions': boundConflictingData,
  'an id': parseUuid,
  'an address': networkOf,
  'what a terminal shows': printable,
  'what a terminal shows of JSON': printableJson,
  base64: base64Decode,
  'a key on the wire': publicKeyToWire,
  'a key': publicKeyDer,
  'an exact number': (text) => {
    const number = parseExact(text)
    return number && formatExact(number)
  },
  'a sum': (text) => formatExact({ digits: 1n, scale: text.length }),
  credentials: (text) => decodeBasicAuth(`Basic ${text}`),
  capabilities: parseCapabilities,
  'an instance': instanceIdIn,
  'an item of a chain': (text) =>
    certificateItemSchema.safeParse({ id: text, serialized: text, signature: text }),
  'a chain': (text) => certificateChainSchema.safeParse(text),
  'a signing request': (text) =>
    signingRequestSchema.safeParse({
      parent: text,
      profile: text,
      scope_definition: text,
      scope_version: text,
      scope_params: text,
      public_key: text,
    }),
  'a sync session': (text) =>
    syncSessionRequestSchema.safeParse({ id: text, instance: text, certificate_chain: text, nonce: text }),
  'a transfer': (text) =>
    transferSessionRequestSchema.safeParse({ id: text, filter: text, client_fsic: text, push: text }),
  'a query for certificates': (text) =>
    certificateQuerySchema.safeParse(members(text, 'primary_partition', 'ancestors_of', 'profile')),
  'a change of a transfer': (text) =>
    transferSessionPatchSchema.safeParse(
      members(text, 'records_transferred', 'records_total', 'transfer_stage', 'client_fsic', 'preview'),
    ),
  'a transfer as it is told': (text) =>
    transferSessionViewSchema.safeParse({
      ...members(text, 'id', 'filter', 'server_fsic', 'records_total'),
      transfer_stage: 'queuing',
      transfer_stage_status: 'completed',
    }),
  'an answer about a sync session': (text) =>
    syncSessionReplySchema.safeParse(members(text, 'signature', 'server_instance')),
  'a sync session as it is told': (text) =>
    syncSessionViewSchema.safeParse(members(text, 'id', 'active', 'client_instance')),
  'what a server tells of itself': (text) =>
    morangoInfoSchema.safeParse({ ...members(text, 'instance_id', 'version'), capabilities: [text] }),
  'a nonce': (text) => nonceReplySchema.safeParse(members(text, 'id', 'timestamp')),
  'certificates of a server': (text) =>
    certificateListSchema.safeParse([{ id: text, serialized: text, signature: text }]),
  'the key of a server': (text) => publicKeySchema.safeParse([{ public_key: text }]),
  'an id in any spelling': (text) => uuid.safeParse(text),
  'a text of some characters': (text) => textUpTo(100).safeParse(text),
  'encodings that are accepted': acceptsGzip,
  'an integer': (text) => integer(10).safeParse(text),
  'a chunk': (text) => decodeBufferRecords([everyField(text)]),
  'a page': (text) => decodeBufferPage({ count: text, results: [everyField(text)] }),
  'an error of a peer': (text) => explainPeerError(500, text),
  'an error of a peer, as a page': (text) => explainPeerError(500, `<html>${text}`),
  'an error of a peer by field': (text) => explainPeerError(400, { [text]: [text, { a: text }] }),
  'a quote': quotedText,
  'a host': (text) =>
    refuseHost(new Request('http://localhost/', { headers: { 'x-host': headerText(text) } }), ['localhost']),
  'a time to wait': (text) => retryAfterMs(new Headers({ 'retry-after': headerText(text) })),
}

function headerText(text: string): string {
  return text.replaceAll(/[^ -~]/g, '?')
}

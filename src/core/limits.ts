/**
 * The limits on everything that a peer may send, in one place. They hold on arrival, in claims, and for what is
 * written here, so that no peer of ours makes what another one refuses.
 *
 * The lengths are those of the original's columns, fatal on its PostgreSQL (protocol §1); they count code points.
 * All else is ours: far above what honest peers need, and low enough that the work stays small.
 */

/** Longest partition, also as a prefix in a filter or a scope. */
export const MAX_PARTITION = 128
export const MAX_SOURCE_ID = 96
export const MAX_MODEL_NAME = 40
export const MAX_PROFILE = 20
export const MAX_SCOPE_DEFINITION_ID = 20
export const MAX_SALT = 32

/** The highest counter of an instance, and the most records of a transfer: 32 bits, signed. */
export const MAX_COUNTER = 0x7fff_ffff

/** The most prefixes in the filter of a transfer, and in each filter of a scope. */
export const MAX_PREFIXES = 200

/**
 * The most claims (partition and instance) in a peer's FSIC. In v1 there is one for each instance that ever saved a
 * record under the filter: a few hundred where tablets come and go for years. In v2 there is one for each prefix that
 * anybody ever synced with and each instance that saved something there which no wider claim covers: for a learner with
 * a device of his own some three, so this is for a facility with 8,000 such devices, synced as a whole. The original
 * gives up at 99,800. More would keep others waiting while they are read, all at once.
 */
export const MAX_CLAIMS = 25_000

/** The same once each prefix of the filter has taken over what is claimed above it: 500 instances, 200 prefixes. */
export const MAX_EXPANDED_CLAIMS = 100_000

/** The longest text of a peer's FSIC, in characters: that many claims, each on the longest partition. */
export const MAX_FSIC_TEXT: number = MAX_CLAIMS * 180

/**
 * How far a claim about an instance, or an entry of a history, may exceed the highest counter that is known of that
 * instance. An instance raises its counter once a serialization.
 */
export const MAX_COUNTER_JUMP = 1_000_000

/** The most certificates in a chain, its root and its leaf included. */
export const MAX_CHAIN = 10

/** The most sums of sets in a message: each is some values of JSON, of which a message has 10,000. */
export const MAX_SET_SUMS = 1500

/** The longest text of a certificate, and of its scope parameters, in characters. */
export const MAX_CERTIFICATE_TEXT = 8192

/** The most certificates in a list that a peer answers. Those that it holds the keys of are few. */
export const MAX_LISTED_CERTIFICATES = 1000

/** Sizes of RSA keys, in bits of the modulus. Those of the original have 2048. */
export const MIN_KEY_BITS = 2048
export const MAX_KEY_BITS = 8192

/** The smallest public exponent of a key, and the most bits that it may have. */
export const MIN_KEY_EXPONENT = 65_537
export const MAX_KEY_EXPONENT_BITS = 256

/** The longest text of a public key, of a signature, in characters: PEM of the largest key has some 1,500. */
export const MAX_KEY_TEXT = 4096

/** The longest `instance` or `server_instance` of a sync session, in characters. */
export const MAX_INSTANCE_INFO = 16_384

/** The longest base URL that a client names, in characters. */
export const MAX_CONNECTION_PATH = 2048

/** The most instances in the history of a record. */
export const MAX_HISTORY = 1000

/** The most records in a chunk. The original sends 500, ours 2,500 at most. */
export const MAX_CHUNK_RECORDS = 10_000

/** How large a record may be by default: its texts in UTF-8 bytes together, conflicting data included. */
export const DEFAULT_MAX_RECORD_BYTES: number = 8 * 1024 * 1024

/** The largest chunk or page of records by default, unpacked, in bytes. The original's clients send 500 records. */
export const DEFAULT_MAX_CHUNK_BYTES: number = 48 * 1024 * 1024

/** The largest packed chunk or page, unpacked, in bytes: one record of the largest size, its quotes escaped. */
export const MAX_PACKED_BYTES: number = 20 * 1024 * 1024

/** The most entries in the histories of a chunk together. */
export const MAX_CHUNK_HISTORY = 100_000

/** Beyond the size of one record, a body may unpack to so many times its packed size. Honest JSON does to 40. */
export const MAX_UNPACK_RATIO = 100

/** The longest address, and the longest id that is no UUID, in a message, in characters. */
export const MAX_SHORT_TEXT = 4096

/** The longest filter of a transfer, in characters: all its prefixes, one a line. */
export const MAX_FILTER_TEXT: number = MAX_PREFIXES * (2 * MAX_PARTITION + 1)

/** The deepest nesting of a message. The texts of JSON inside it are counted by themselves. */
export const MAX_MESSAGE_DEPTH = 32

/** The most members of the outermost object of a message. */
export const MAX_MESSAGE_MEMBERS = 1000

/** The longest integer in a record, in digits. Python, too, reads none that is longer. */
export const MAX_INTEGER_DIGITS = 4300

/** The longest number in a message, in digits. */
export const MAX_NUMBER_DIGITS = 400

/** The most that a client fetches in one run of a transfer: characters in the texts of its records. */
export const MAX_TRANSFER_CHARACTERS: number = 64 * 1024 * 1024 * 1024

/** The longest time that a client waits for a stage at the server that shows no progress, in ms: a day. */
export const MAX_STANDSTILL_MS: number = 24 * 60 * 60 * 1000

/** The most that a record keeps of versions that lost a conflict; older ones go to the conflict log. */
export const MAX_CONFLICTING_BYTES: number = 256 * 1024
export const MAX_CONFLICTING_VERSIONS = 16

/** The most records that one certificate may have set aside at a peer, because their ids are taken there. */
export const MAX_SET_ASIDE = 1000

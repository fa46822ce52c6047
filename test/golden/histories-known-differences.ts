/**
 * Where ours deviates from the histories that the original recorded, and why. The sections are those of the
 * protocol's description; each is a quirk of the original that ours mends.
 */
export interface KnownDifference {
  readonly scenario: string
  readonly reason: string
  /**
   * What ours has instead. By step (`4`: what it did) or dump (`4/B`: peer B after step 4), then by path; null:
   * nothing. What is said of a peer holds for its later dumps too, until something else is said.
   */
  readonly ours: Readonly<Record<string, Readonly<Record<string, string | null>>>>
}

/** Ends a difference. */
export const AS_RECORDED = '(as recorded)'

const SERIALIZED_FIRST =
  '§8: pending changes are serialized before dequeuing, not after it. An edit is thus a conflict with what ' +
  'arrives, merged by the dequeue (which notes the transfer), and does not override it; and there is one ' +
  'serialization more, for which the counter is raised by one'
const CLASH =
  '§9: a clash with a unique constraint is the failure of that record alone, which waits, and so does what refers ' +
  'to it; the original fails as a whole (B) or deletes the other row (A on SQLite)'
const CASCADE = '§9: rows that fall by cascade with a record deleted elsewhere are deletions that travel on'
const ALREADY_CLAIMED = '§6: what the receiver claims for a narrower partition is not queued again'
const HARD_DELETED =
  '§8: when either side is hard-deleted nothing of the content is left; JSON {}, no conflicting data'
const EXACT_PREFIX = '§6: filters match exactly; the original fails, since in SQL _ matches anything'
const LOWERED = '§6: database max counters are never lowered, so that nothing is sent again'
const EMPTY_JSON =
  '§8: the JSON of a hard-deleted record is {}; the original leaves "", on which its serializing fails'
const RECREATED = '§7: a record deleted and created again between two serializations is alive'
const ERROR_STAYS = '§9: the reason of a failure is cleared when the record succeeds'

/** Scenarios in which the original does otherwise on SQLite than on PostgreSQL, and ours as on the latter. */
export const LIKE_POSTGRES: Readonly<Record<string, string>> = {
  filter_case: '§6: filters match exactly; on SQLite the original ignores ASCII case, and fails',
}

const json = (name: string, date: string): string =>
  `{"id": "<${name}>", "_morango_source_id": "${name}", "_morango_partition": "D:facility:${name}", ` +
  `"name": "${name}", "now_date": "${date}", "parent_id": null}`
const row = (name: string, date: string): string => `name="${name}" now_date="${date}" parent_id=null`

const CREATED = '2024-05-06T07:08:09.123Z'
const CREATED_LATER = '2024-05-06T07:08:10Z'
const ONE_HARD_DELETED = {
  'store/<one>/json': '{}',
  'store/<one>/conflicting': null,
  'store/<one>/state': 'hard deleted',
  'app/<one>': null,
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    scenario: 'merge_conflict_twice',
    reason: SERIALIZED_FIRST,
    ours: {
      '4/A': { 'claims/D': 'A4 B6' },
      '4/B': { counter: '6', 'claims/D': 'A2 B6', 'store/<one>/transfer': 'step4-pull' },
      '7/A': { 'claims/D': 'A7 B10', 'store/<one>/version': 'A5 *B8' },
      '7/B': {
        counter: '10',
        'claims/D': 'A5 B10',
        'store/<one>/version': 'A5 *B8',
        'store/<one>/transfer': 'step7-pull',
      },
    },
  },
  {
    scenario: 'conflict_edit_vs_remote_delete',
    reason: SERIALIZED_FIRST,
    ours: {
      '4/B': {
        counter: '5',
        'claims/D': 'A2 B5',
        'store/<one>/state': 'deleted',
        'store/<one>/transfer': 'step4-pull',
        'app/<one>': null,
      },
      '5/A': { 'claims/D': 'A4 B6', 'store/<one>/state': 'deleted', 'app/<one>': null },
      '5/B': { counter: '6', 'claims/D': 'A2 B6' },
    },
  },
  {
    scenario: 'conflict_delete_vs_remote_edit',
    reason: SERIALIZED_FIRST,
    ours: {
      '4/B': {
        counter: '5',
        'claims/D': 'A2 B5',
        'store/<one>/json': json('one', CREATED),
        'store/<one>/conflicting': `${json('one', '2024-01-01T00:00:00Z')}\n`,
      },
      '5/A': {
        'claims/D': 'A4 B6',
        'store/<one>/json': json('one', CREATED),
        'store/<one>/conflicting': `${json('one', '2024-01-01T00:00:00Z')}\n`,
      },
      '5/B': { counter: '6', 'claims/D': 'A2 B6' },
    },
  },
  {
    scenario: 'conflict_edit_vs_remote_hard_delete',
    reason: SERIALIZED_FIRST,
    ours: {
      '4/B': { counter: '5', 'claims/D': 'A2 B5', 'store/<one>/transfer': 'step4-pull' },
      '5/A': { 'claims/D': 'A4 B6' },
      '5/B': { counter: '6', 'claims/D': 'A2 B6' },
      '6/B': { counter: '7', 'claims/D': 'A2 B7' },
      '6/C': { 'claims/D': 'B7 C2' },
    },
  },
  {
    scenario: 'conflict_edit_vs_remote_hard_delete',
    reason: HARD_DELETED,
    ours: { '4/B': ONE_HARD_DELETED, '5/A': ONE_HARD_DELETED, '6/C': ONE_HARD_DELETED },
  },
  {
    scenario: 'delete_then_recreate_before_serialization',
    reason: RECREATED,
    ours: {
      '4/A': { 'store/<one>/state': 'alive' },
      '4/B': { 'store/<one>/state': 'alive', 'app/<one>': row('one', CREATED_LATER) },
    },
  },
  {
    // B deletes the child at once, A would when it comes: one transfer less, and B's version of it.
    scenario: 'self_fk_parent_deleted_remotely',
    reason: `${SERIALIZED_FIRST}. ${CASCADE}`,
    ours: {
      '4/A': {
        'claims/D': 'A4 B6',
        'store/<child>/state': 'deleted',
        'store/<child>/version': '*B6',
        'log/<child>': null,
      },
      '4/B': {
        counter: '6',
        'claims/D': 'A2 B6',
        'store/<child>/state': 'deleted',
        'store/<child>/version': '*B6',
      },
      '5': { outcome: 'pull 0, push 0' },
      '5/A': { 'claims/D': 'A5 B6', 'store/<child>/state': AS_RECORDED, 'log/<child>': AS_RECORDED },
      '5/B': {
        counter: '7',
        'claims/D': 'A2 B7',
        'store/<child>/state': AS_RECORDED,
        'store/<child>/transfer': null,
      },
    },
  },
  {
    // As above, with a log and its user.
    scenario: 'fk_to_deleted',
    reason: `${SERIALIZED_FIRST}. ${CASCADE}`,
    ours: {
      '5/A': {
        'claims/D': 'A4 B6',
        'store/<log2>/state': 'deleted',
        'store/<log2>/version': '*B6',
        'log/<log2>': null,
      },
      '5/B': {
        counter: '6',
        'claims/D': 'A2 B6',
        'store/<log2>/state': 'deleted',
        'store/<log2>/version': '*B6',
      },
      '6': { outcome: 'pull 0, push 0' },
      '6/A': { 'claims/D': 'A5 B6', 'store/<log2>/state': AS_RECORDED, 'log/<log2>': AS_RECORDED },
      '6/B': {
        counter: '7',
        'claims/D': 'A2 B7',
        'store/<log2>/state': AS_RECORDED,
        'store/<log2>/transfer': null,
      },
    },
  },
  {
    scenario: 'invalid_values',
    reason: ERROR_STAYS,
    ours: { '15/B': { 'store/<log1>/state': 'alive' } },
  },
  {
    scenario: 'full_then_subset',
    reason: ALREADY_CLAIMED,
    ours: { '6': { outcome: 'pull 1' } },
  },
  {
    scenario: 'three_peers_ring',
    reason: SERIALIZED_FIRST,
    ours: {
      '8/A': { 'claims/D': 'A4 B7' },
      '8/B': { counter: '7', 'claims/D': 'A2 B7', 'store/<one>/transfer': 'step8-pull' },
      '9/B': {
        counter: '10',
        'claims/D': 'A2 B10 C6',
        'store/<one>/transfer': AS_RECORDED,
        'store/<two>/version': 'A1 *C3',
      },
      '9/C': {
        counter: '6',
        'claims/D': 'A2 B8 C6',
        'store/<one>/transfer': 'step9-pull',
        'store/<two>/version': 'A1 *C3',
      },
      '10/A': { 'claims/D': 'A7 B7 C7', 'store/<two>/version': 'A1 *C3' },
      '10/C': { counter: '7', 'claims/D': 'A2 B8 C7' },
      '11/A': { 'claims/D': 'A8 B7 C7' },
      '11/B': { counter: '11', 'claims/D': 'A2 B11 C6' },
      '12/A': { 'claims/D': 'A9 B7 C7' },
      '12/C': { counter: '8', 'claims/D': 'A2 B8 C8' },
    },
  },
  {
    scenario: 'unique_name_clash',
    reason: SERIALIZED_FIRST,
    ours: {
      '3/B': {
        counter: '3',
        'claims/D': 'A1 B3',
        'store/<alice2>/version': '*B1',
        'store/<log1>/version': '*B1',
      },
      '4/A': { 'claims/D': 'A3 B4', 'store/<alice2>/version': '*B1', 'store/<log1>/version': '*B1' },
      '4/B': { counter: '4', 'claims/D': 'A1 B4' },
    },
  },
  {
    scenario: 'unique_name_clash',
    reason: CLASH,
    ours: {
      '3': { outcome: 'pull 1' },
      '3/A': { buffer: null },
      '3/B': { 'store/<alice>/state': 'alive dirty error', 'store/<alice>/transfer': 'step3-pull' },
      '4/A': {
        'store/<alice2>/state': 'alive dirty error',
        'store/<log1>/state': 'alive dirty error',
        'app/<alice>': 'is_staff=false is_superuser=false last_login=null password="!" username="alice"',
        'app/<alice2>': null,
        'app/<log1>': null,
      },
    },
  },
  {
    scenario: 'filter_case',
    reason: ALREADY_CLAIMED,
    ours: { '3': { outcome: 'pull 1' } },
  },
  {
    scenario: 'filter_wildcard',
    reason: EXACT_PREFIX,
    ours: {
      '3': { outcome: 'pull 1' },
      '3/A': { buffer: null },
      '3/B': {
        counter: '2',
        'claims/D:facility:a_c': 'A2 B2',
        'store/<a_c>/who': 'facilitydata facility D:facility:a_c a_c',
        'store/<a_c>/json': json('a_c', CREATED),
        'store/<a_c>/version': '*A1',
        'store/<a_c>/state': 'alive',
        'store/<a_c>/transfer': 'step3-pull',
        'app/<a_c>': row('a_c', CREATED),
      },
      '4/B': {
        counter: '4',
        'claims/D': 'A3 B4',
        'store/<a_c>/who': AS_RECORDED,
        'store/<a_c>/json': AS_RECORDED,
        'store/<a_c>/version': AS_RECORDED,
        'store/<a_c>/state': AS_RECORDED,
        'app/<a_c>': AS_RECORDED,
      },
    },
  },
  {
    scenario: 'filter_wildcard',
    reason: ALREADY_CLAIMED,
    ours: { '4': { outcome: 'pull 1' } },
  },
  {
    scenario: 'conflict_hard_delete_vs_remote_edit_serialized',
    reason: HARD_DELETED,
    ours: {
      '5/B': { 'store/<one>/conflicting': null },
      '6/A': { 'store/<one>/conflicting': null },
      '7/C': { 'store/<one>/conflicting': null },
    },
  },
  {
    scenario: 'conflict_hard_delete_then_recreate',
    reason: EMPTY_JSON,
    ours: {
      '5/B': { 'store/<one>/json': '{}' },
      '8': { outcome: 'done' },
      '8/B': {
        'claims/': 'B6',
        'store/<one>/json': json('one', CREATED_LATER),
        'store/<one>/version': 'A2 *B6',
        'store/<one>/state': 'alive',
        'store/<one>/transfer': null,
        'store/<two>/who': 'facilitydata facility D:facility:two two',
        'store/<two>/json': json('two', CREATED_LATER),
        'store/<two>/version': '*B6',
        'store/<two>/state': 'alive',
        'log/<one>': null,
        'log/<two>': null,
      },
      '9': { outcome: 'push 2' },
      '9/A': {
        counter: '4',
        'claims/D': 'A4 B7',
        'store/<one>/json': json('one', CREATED_LATER),
        'store/<one>/version': 'A2 *B6',
        'store/<one>/state': 'alive',
        'store/<one>/transfer': 'step9-push',
        'store/<two>/who': 'facilitydata facility D:facility:two two',
        'store/<two>/json': json('two', CREATED_LATER),
        'store/<two>/version': '*B6',
        'store/<two>/state': 'alive',
        'store/<two>/transfer': 'step9-push',
        'app/<one>': row('one', CREATED_LATER),
        'app/<two>': row('two', CREATED_LATER),
      },
      '9/B': { 'claims/D': 'A2 B7' },
    },
  },
  {
    scenario: 'dmc_lowered',
    reason: LOWERED,
    ours: {
      '6/B': { 'claims/D': 'A2 B4 C3' },
      '7': { outcome: 'pull 0' },
      '7/B': { counter: '4' },
    },
  },
  {
    scenario: 'cascade_without_trace',
    reason: CASCADE,
    ours: {
      '5/B': { 'log/<log2>': 'deleted' },
      '6/B': { 'log/<log2>': AS_RECORDED, 'store/<log2>/state': 'deleted', 'store/<log2>/version': '*B6' },
      '6/C': { 'log/<log2>': null, 'store/<log2>/state': 'deleted', 'store/<log2>/version': '*B6' },
    },
  },
]

/** Whether a member of a record's JSON is content: not one of those that say who the record is, or are the engine's. */
export function isContentField(key: string): boolean {
  return key !== 'id' && !key.startsWith('_morango_')
}

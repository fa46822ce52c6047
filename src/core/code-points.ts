/**
 * Compares two texts by code points, which is the order of their UTF-8 bytes and of SQLite and PostgreSQL's
 * `C` collation. JavaScript's own `<` differs where astral characters meet U+E000–FFFF.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left !== right) return unitRank(left) - unitRank(right)
  }
  return a.length - b.length
}

// Surrogates stand for characters above all others of 16 bits.
function unitRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

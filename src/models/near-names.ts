/** A question that names what was probably meant, or the names there are. Empty when there are none. */
export function suggestName(wrong: string, names: Iterable<string>): string {
  const all = [...names]
  const ranked = all
    .map((name) => ({ name, distance: editDistance(wrong.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= Math.max(1, Math.floor(wrong.length / 3)))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  if (best !== undefined) return `Did you mean "${best.name}"?`
  return all.length === 0 ? '' : `There are: ${all.slice(0, 20).join(', ')}${all.length > 20 ? ', …' : ''}.`
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}

/**
 * The network that an address belongs to: what one caller can be expected to have for itself. An IPv4 address, or the /64
 * of an IPv6 address, of which a caller has all. Of what is no address: the text as it is, shortened; `""`: unknown.
 */
export function networkOf(address: string): string {
  const text = address.trim().toLowerCase().split('%', 1)[0] ?? ''
  const mapped = /^(?:::ffff:|0*(?::0*){4}:ffff:)(\d{1,3}(?:\.\d{1,3}){3})$/u.exec(text)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!text.includes(':') || text.length > MOST_CHARACTERS) return text.slice(0, MOST_CHARACTERS)
  const [head = '', tail] = text.split('::', 2)
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0)
  const zeros = tail === undefined ? 0 : Math.max(0, GROUPS - before.length - after)
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...(tail ?? '').split(':')]
  return `${groups
    .slice(0, GROUPS / 2)
    .map((group) => group.replace(/^0+(?=.)/u, ''))
    .join(':')}::/64`
}

const GROUPS = 8
const MOST_CHARACTERS = 64

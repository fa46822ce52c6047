/**
 * What to say of a password that would go to a peer unencrypted, over a network that others may listen on; undefined
 * where it is encrypted, stays on this machine, or goes to an address of a private network: RFC 1918, link-local, unique
 * local, `.local`.
 *
 * @param url - the peer's base URL, or the name of one that has none
 */
export function plainPasswordWarning(url: string): string | undefined {
  const host = plainHttpHost(url)
  if (host === undefined || isNear(host)) return undefined
  return (
    `The password goes to ${host} over plain HTTP: whoever is on the way can read it. ` +
    'Use https, or a tunnel, for a peer beyond the own network.'
  )
}

function plainHttpHost(url: string): string | undefined {
  try {
    const { protocol, hostname } = new URL(url)
    return protocol === 'http:' ? hostname.replace(/\.$/u, '') : undefined
  } catch {
    return undefined
  }
}

/** URLs write addresses in one way, so that these forms are all there are. */
function isNear(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost') || host.endsWith('.local')) return true
  if (host.startsWith('[')) return isNearV6(host.slice(1, -1))
  const parts = host.split('.').map(Number)
  const [first = 0, second = 0] = parts
  if (parts.length !== 4 || !parts.every((part) => Number.isInteger(part))) return false
  if (first === 127 || first === 10) return true
  if (first === 172) return second >= 16 && second < 32
  return (first === 192 && second === 168) || (first === 169 && second === 254)
}

function isNearV6(address: string): boolean {
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/u.exec(address)
  if (mapped !== null) {
    const [high, low] = [mapped[1] ?? '', mapped[2] ?? ''].map((group) => Number.parseInt(group, 16))
    return isNear([high ?? 0, low ?? 0].flatMap((group) => [group >> 8, group & 0xff]).join('.'))
  }
  if (address === '::1') return true
  const first = Number.parseInt(address.split(':')[0] ?? '', 16)
  // fe80::/10 and fc00::/7
  return (first & 0xffc0) === 0xfe80 || (first & 0xfe00) === 0xfc00
}

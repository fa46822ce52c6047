const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?(Z|z|[+-]\d\d(?::?\d\d)?))?)?$/
const CANONICAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(?!000)\d{3})?Z$/
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?$/
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const
const MINUTE = 60_000
const LAST_INSTANT = 253_402_300_799_999
const FIRST_INSTANT = -62_135_596_800_000

/**
 * The instant that a text names, in milliseconds since 1970, further digits cut off. Without an offset it is
 * taken as UTC, without a time as midnight. Undefined when it names none in the years 1 to 9999.
 */
export function parseInstant(text: string): number | undefined {
  const match = DATE_TIME.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset = 'Z'] = match
  const time = timeOfDay(Number(hour), Number(minute), Number(second), fraction)
  if (time === undefined || !isDate(Number(year), Number(month), Number(day))) return undefined
  const shift = offsetMinutes(offset)
  if (shift === undefined) return undefined
  const instant = midnight(Number(year), Number(month), Number(day)) + time - shift * MINUTE
  return isInstant(instant) ? instant : undefined
}

/** The milliseconds since midnight that a text such as `07:08:09.5` names. */
export function parseTimeOfDay(text: string): number | undefined {
  const match = TIME.exec(text)
  if (match === null) return undefined
  const [, hour, minute, second = '0', fraction = ''] = match
  return timeOfDay(Number(hour), Number(minute), Number(second), fraction)
}

/** Whether Python and Django can name it: in the years 1 to 9999. */
export function isInstant(milliseconds: number): boolean {
  return milliseconds >= FIRST_INSTANT && milliseconds <= LAST_INSTANT
}

/** `2024-05-06T07:08:09.123Z`, the fraction left out when it is zero. */
export function formatInstant(milliseconds: number): string {
  const text = new Date(milliseconds).toISOString()
  return text.endsWith('.000Z') ? `${text.slice(0, 19)}Z` : text
}

/**
 * The text as {@link formatInstant} writes the instant that it names. Most texts have that form already, and
 * checking it takes a fraction of the time that making it does.
 */
export function normalizeInstant(text: string): string | undefined {
  if (CANONICAL.test(text) && isDate(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10))) {
    const inDay = digits(text, 11, 13) < 24 && digits(text, 14, 16) < 60 && digits(text, 17, 19) < 60
    return inDay ? text : undefined
  }
  const instant = parseInstant(text)
  return instant === undefined ? undefined : formatInstant(instant)
}

function digits(text: string, start: number, end: number): number {
  let number = 0
  for (let index = start; index < end; index++) number = number * 10 + text.charCodeAt(index) - 0x30
  return number
}

function timeOfDay(hour: number, minute: number, second: number, fraction: string): number | undefined {
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const milliseconds = fraction === '' ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'))
  return ((hour * 60 + minute) * 60 + second) * 1000 + milliseconds
}

function isDate(year: number, month: number, day: number): boolean {
  if (year < 1 || day < 1) return false
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= (DAYS[month - 1] ?? 0) + (leap ? 1 : 0)
}

// `Date.UTC` takes the years 0 to 99 for those of the twentieth century.
function midnight(year: number, month: number, day: number): number {
  return year < 100 ? new Date(0).setUTCFullYear(year, month - 1, day) : Date.UTC(year, month - 1, day)
}

function offsetMinutes(offset: string): number | undefined {
  if (offset === 'Z' || offset === 'z') return 0
  const hours = Number(offset.slice(1, 3))
  const minutes = Number(offset.slice(3).replace(':', ''))
  if (hours > 23 || minutes > 59) return undefined
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

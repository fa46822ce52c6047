import { MorangoError } from './errors.ts'

const CONSONANTS = 'bdfghjklmnprstvz'
const VOWELS = 'aiou'
const GROUP_BITS = 16n
const GROUP_MASK = 0xffffn
const GROUP_LENGTH = 5

/**
 * A number as pronounceable five-letter words, one per 16 bits, the highest first, joined by `-`; leading
 * words that are zero are left out (protocol §1).
 *
 * @throws MorangoError `invalid-argument` for a negative or fractional number
 */
export function proquintFromInt(value: number | bigint): string {
  if (value < 0 || (typeof value === 'number' && !Number.isInteger(value))) {
    throw new MorangoError('invalid-argument', `A proquint needs a whole number of at least 0, not ${value}`)
  }
  let rest = BigInt(value)
  const words: string[] = []
  do {
    words.unshift(wordFromGroup(Number(rest & GROUP_MASK)))
    rest >>= GROUP_BITS
  } while (rest > 0n)
  return words.join('-')
}

/**
 * The number that a proquint stands for.
 *
 * @throws MorangoError `invalid-argument` when it is none
 */
export function proquintToInt(proquint: string): bigint {
  let value = 0n
  for (const word of proquint.split('-')) value = (value << GROUP_BITS) | BigInt(groupFromWord(word))
  return value
}

/** The short spoken name of an instance: the proquint of the first 32 bits of its id (protocol §1). */
export function instanceHash(instanceId: string): string {
  return proquintFromInt(Number.parseInt(instanceId.slice(0, 8), 16))
}

function wordFromGroup(group: number): string {
  return (
    CONSONANTS.charAt(group >> 12) +
    VOWELS.charAt((group >> 10) & 3) +
    CONSONANTS.charAt((group >> 6) & 15) +
    VOWELS.charAt((group >> 4) & 3) +
    CONSONANTS.charAt(group & 15)
  )
}

function groupFromWord(word: string): number {
  if (word.length !== GROUP_LENGTH) throw new MorangoError('invalid-argument', 'Malformed proquint')
  let group = 0
  for (let index = 0; index < GROUP_LENGTH; index++) {
    const letters = index % 2 === 0 ? CONSONANTS : VOWELS
    const digit = letters.indexOf(word.charAt(index))
    if (digit < 0) {
      throw new MorangoError('invalid-argument', `Unknown character '${word.charAt(index)}' in proquint`)
    }
    group = group * letters.length + digit
  }
  return group
}

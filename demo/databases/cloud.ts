import { join } from 'node:path'
import { InvalidArgumentError } from 'commander'
import type { DatabaseChoice } from './app-database.ts'
import { takeSchema } from './server-schema.ts'

/** What `--cloud` may say. */
export type CloudOption =
  | { readonly kind: 'pglite' | 'sqlite' }
  | { readonly kind: 'postgres'; readonly url: string }

/** Cloud's database, made ready. */
export interface CloudDatabase {
  readonly choice: DatabaseChoice
  /** A sentence about it, for the title. */
  readonly text: string
  /** Where it is when it is kept, unless that is the demo's folder. */
  readonly place?: string
  /** Gives it back. What is in the demo's folder goes with the folder. */
  readonly release: (keep: boolean) => Promise<void>
}

/** @throws InvalidArgumentError when it is none of the three */
export function parseCloud(text: string): CloudOption {
  if (text === 'pglite' || text === 'sqlite') return { kind: text }
  if (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) return { kind: 'postgres', url: text }
  throw new InvalidArgumentError('Say pglite, sqlite, or a URL as postgres://user@host:5432/database.')
}

/**
 * Makes Cloud's database ready: on a server, a schema.
 *
 * @throws Error when the server cannot be reached or its schema is not ours
 */
export async function prepareCloud(option: CloudOption, directory: string): Promise<CloudDatabase> {
  const nothing = async (): Promise<void> => undefined
  switch (option.kind) {
    case 'sqlite':
      return {
        choice: { kind: 'sqlite', file: join(directory, 'cloud.db') },
        text: 'All are SQLite.',
        release: nothing,
      }
    case 'pglite':
      return {
        choice: { kind: 'pglite', directory: join(directory, 'cloud') },
        text: 'Remote and City have SQLite, Cloud has PostgreSQL (PGlite, in its process).',
        release: nothing,
      }
    case 'postgres': {
      const { url, place, release } = await takeSchema(option.url)
      return {
        choice: { kind: 'postgres', url },
        text:
          'Remote and City have SQLite, Cloud has PostgreSQL: the schema that the demo\n' +
          `makes, and drops, is ${place}.`,
        place,
        release,
      }
    }
  }
}

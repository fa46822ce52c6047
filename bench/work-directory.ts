import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * Runs `work` with a new directory for the databases, which is removed afterwards.
 *
 * @param parent - where it is made; undefined: where the system keeps what is temporary
 */
export async function inWorkDirectory<Result>(
  parent: string | undefined,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  if (parent !== undefined) await mkdir(parent, { recursive: true })
  const directory = await mkdtemp(join(resolve(parent ?? tmpdir()), 'morango-bench-'))
  // For the processes to come: the library is used compiled, so stripping its types is not to be measured.
  process.env.NODE_COMPILE_CACHE ??= join(directory, 'compiled')
  try {
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

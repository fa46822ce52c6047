import { isHexUuid, recordId, recordIdMatches, resolvePartition } from '../core/ids.ts'
import { MAX_PARTITION, MAX_SOURCE_ID } from '../core/limits.ts'
import { FieldError } from './compiled.ts'
import type { CompiledModel, RecordIdentity } from './compiled.ts'
import { compileElsewhere, identityColumnsOf } from './identity-elsewhere.ts'
import { compilePartition, compileSourceId } from './identity-rules.ts'
import type { PartitionRule, SourceIdRule } from './identity-rules.ts'
import { excerpt, isLongerThan } from './kinds/codec.ts'
import type { ModelDeclaration } from './model.ts'

type Row = Readonly<Record<string, unknown>>

/** The parts of a compiled model that know who a row is. */
export type CompiledIdentity = Pick<
  CompiledModel,
  'identify' | 'idMatches' | 'build' | 'elsewhere' | 'identityColumns'
>

type Rules = Pick<CompiledModel, 'identify' | 'idMatches' | 'build'>

/**
 * Compiles the rules of protocol §1 for one model.
 *
 * @param sourceIdColumn - the column of random source ids, if the model has one
 */
export function compileIdentity(
  name: string,
  declared: ModelDeclaration,
  sourceIdColumn: string | undefined,
): CompiledIdentity {
  const partitionOf = compilePartition(name, declared.partition)
  const sourceIdOf = compileSourceId(name, declared.sourceId, sourceIdColumn)
  const rules =
    declared.id === 'source-id' || sourceIdOf === undefined
      ? identityBySourceId(partitionOf, sourceIdOf)
      : identityByHash(name, partitionOf, sourceIdOf)
  return {
    ...rules,
    elsewhere: compileElsewhere(name, declared, { identify: rules.identify, partitionOf, sourceIdOf }),
    identityColumns: identityColumnsOf(declared, sourceIdColumn),
  }
}

// Without a rule the id itself is the random source id.
function identityBySourceId(partitionOf: PartitionRule, sourceIdOf: SourceIdRule | undefined): Rules {
  const identityOf = (row: Row, id: string, sourceId: string): RecordIdentity => {
    const partition = resolvePartition(partitionOf(row), id)
    checkLengths(partition, sourceId)
    if (id !== sourceId) throw mismatch(id, `source id is ${excerpt(sourceId)}, and they must be the same`)
    return { id, sourceId, partition }
  }
  return {
    identify(row) {
      const id = checkId(row['id'])
      return identityOf(row, id, sourceIdOf?.(row) ?? id)
    },
    build(values, randomUuid) {
      const derived = sourceIdOf?.(values)
      const id = checkId(values['id'] ?? derived ?? randomUuid())
      return identityOf(values, id, derived ?? id)
    },
    idMatches: ({ id, sourceId }) => id === sourceId && isHexUuid(id),
  }
}

function identityByHash(name: string, partitionOf: PartitionRule, sourceIdOf: SourceIdRule): Rules {
  const derive = (row: Row, given: unknown, randomUuid: (() => string) | undefined): RecordIdentity => {
    const hashed = partitionOf(row)
    const sourceId = sourceIdOf(row, randomUuid)
    const id = recordId(hashed, sourceId, name)
    const partition = resolvePartition(hashed, id)
    checkLengths(partition, sourceId)
    if (given !== undefined && given !== id) {
      throw mismatch(checkId(given), `partition and source id, which it is derived from, give ${id}`)
    }
    return { id, sourceId, partition }
  }
  return {
    identify: (row) => derive(row, row['id'] ?? null, undefined),
    build: (values, randomUuid) => derive(values, values['id'] ?? undefined, randomUuid),
    idMatches: ({ id, partition, sourceId }) => recordIdMatches({ id, partition, sourceId, modelName: name }),
  }
}

function checkId(id: unknown): string {
  if (isHexUuid(id)) return id
  throw new FieldError(
    'id-not-a-uuid',
    `"id" must be 32 lowercase hex digits, not ${excerpt(id)}: create rows with morango.record()`,
    'id',
  )
}

function checkLengths(partition: string, sourceId: string): void {
  if (isLongerThan(partition, MAX_PARTITION)) {
    throw new FieldError(
      'partition-too-long',
      `The partition has more than ${MAX_PARTITION} characters, which is all that peers can store`,
    )
  }
  if (isLongerThan(sourceId, MAX_SOURCE_ID)) {
    throw new FieldError(
      'source-id-too-long',
      `The source id has more than ${MAX_SOURCE_ID} characters, which is all that peers can store`,
    )
  }
}

function mismatch(id: string, reason: string): FieldError {
  return new FieldError(
    'id-mismatch',
    `"id" is ${id}, but its ${reason}. Create rows with morango.record(), and make a new row instead of ` +
      'changing what an id is derived from',
    'id',
  )
}

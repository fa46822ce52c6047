import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { CompiledModel, Validation } from './compiled.ts'
import type { ValidateHook, ValidateResult } from './model.ts'

type Validate = NonNullable<CompiledModel['validate']>

/** The compiled form of a model's `validate`. A hook that throws refuses the record with what it threw. */
export function compileValidate(hook: ValidateHook<object> | undefined): Validate | undefined {
  if (hook === undefined) return undefined
  if (!isSchema(hook)) return (row) => settle(() => hook(row), fromResult)
  const schema = hook['~standard']
  return (row) => settle(() => schema.validate(row), fromIssues)
}

// Schemas of some libraries are functions too.
function isSchema(hook: ValidateHook<object>): hook is StandardSchemaV1 {
  return '~standard' in hook
}

function settle<Result>(
  call: () => Result | Promise<Result>,
  judge: (result: Result) => Validation,
): Validation | Promise<Validation> {
  try {
    const result = call()
    return result instanceof Promise ? result.then(judge, refuse) : judge(result)
  } catch (error) {
    return refuse(error)
  }
}

function refuse(error: unknown): Validation {
  return { ok: false, message: error instanceof Error ? error.message : String(error) }
}

function fromResult(result: ValidateResult): Validation {
  if (result === undefined) return { ok: true }
  return typeof result === 'string' ? { ok: false, message: result } : result
}

function fromIssues(result: StandardSchemaV1.Result<unknown>): Validation {
  if (result.issues === undefined) return { ok: true }
  return { ok: false, message: result.issues.map(describe).join('; ') }
}

function describe({ message, path = [] }: StandardSchemaV1.Issue): string {
  const keys = path.map((segment) => String(typeof segment === 'object' ? segment.key : segment))
  return keys.length === 0 ? message : `${keys.join('.')}: ${message}`
}

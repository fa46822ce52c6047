import type { CompiledModel } from './compiled.ts'
import { declarationError } from './declaration-error.ts'

/**
 * Models with those that they refer to before them, otherwise in the order given.
 *
 * @throws MorangoError `invalid-declaration` when models refer to each other in a circle
 */
export function dependencyOrder(models: readonly CompiledModel[]): CompiledModel[] {
  const byName = new Map(models.map((model) => [model.name, model]))
  const ordered = new Set<CompiledModel>()
  const path: string[] = []

  const visit = (model: CompiledModel): void => {
    if (ordered.has(model)) return
    if (path.includes(model.name)) throw loopError([...path.slice(path.indexOf(model.name)), model.name])
    path.push(model.name)
    for (const { targetModel } of model.foreignKeys) {
      const target = byName.get(targetModel)
      if (target !== undefined) visit(target)
    }
    path.pop()
    ordered.add(model)
  }

  models.forEach(visit)
  return [...ordered]
}

function loopError(loop: readonly string[]): Error {
  return declarationError(
    `The models refer to each other in a circle: ${loop.map((name) => `"${name}"`).join(' → ')}`,
    'Records are written referred-to ones first: drop the foreign key constraint of one of these references ' +
      '(its column can stay), or put that column into `exclude`',
  )
}

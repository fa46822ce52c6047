import { inject } from 'vitest'
import fc from 'fast-check'
import { it } from 'vitest'
import { createCast } from './histories/cast.ts'
import { history } from './histories/generate.ts'
import { play } from './histories/play.ts'
import { writeFileSync, appendFileSync } from 'node:fs'

const N = Number(process.env['MORANGO_HISTORIES'] ?? 100)
const S = Number(process.env['MORANGO_HISTORIES_SEED'] ?? 1)
it('explore', async () => {
  const cast = await createCast()
  writeFileSync('/tmp/explore.txt', '')
  const t = performance.now()
  const only = process.env['ONLY']?.split(',').map(Number)
  for (let i = Number(process.env['FROM'] ?? 0); i < N; i++) {
    if (only !== undefined && !only.includes(i)) continue
    const [one] = fc.sample(history(i), { seed: S + i, numRuns: 1 })
    const s = performance.now()
    try {
      const p = await play(one!, cast)
      appendFileSync('/tmp/explore.txt', `#${i} ok ${p.actions.length}/${one!.steps.length} ended ${p.endedBy} ${[...p.quirks]} ${Math.round(performance.now() - s)} ms\n`)
    } catch (e) {
      appendFileSync('/tmp/explore.txt', `#${i} FAIL ${Math.round(performance.now() - s)} ms ${(e as Error).stack}\n`)
    }
  }
  appendFileSync('/tmp/explore.txt', `total ${performance.now() - t}`)
  await cast.close()
}, 3600_000)

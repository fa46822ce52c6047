import { writeFileSync } from 'node:fs'
import { createProgram } from '../src/cli/program.ts'
import { referenceText } from '../src/cli/reference.ts'

writeFileSync(new URL('../docs/cli.md', import.meta.url), referenceText(createProgram()))

import type { Command } from 'commander'
import { allCommands } from './manual.ts'

const HEAD = `# The command line

What \`morango --help\` and the help of every command say. \`npm run docs:cli\` writes this page; a test says when it is out
of date.
`

/** The help of all commands as one page of Markdown. */
export function referenceText(program: Command): string {
  const sections = [{ path: [], command: program }, ...allCommands(program)].map(
    ({ path, command }) =>
      `## \`${['morango', ...path].join(' ')}\`\n\n\`\`\`text\n${helpText(command)}\n\`\`\`\n`,
  )
  return [HEAD, ...sections].join('\n')
}

/** A command's help as a terminal of 80 columns shows it. */
export function helpText(command: Command): string {
  const lines: string[] = []
  command.configureOutput({
    writeOut: (text) => void lines.push(text),
    getOutHelpWidth: () => 80,
    getOutHasColors: () => false,
  })
  command.outputHelp()
  return lines.join('').trimEnd()
}

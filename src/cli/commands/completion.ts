import { Argument, type Command } from 'commander'
import { completionScript, type Shell, SHELLS } from '../completion/scripts.ts'
import { VALUE_KINDS, type ValueKind } from '../completion/values.ts'
import { loadConfig } from '../load-config.ts'
import { type GlobalFlags, withDatabase } from '../open.ts'
import { jsonOption } from '../options.ts'
import { printJson, printLines, printScript } from '../output.ts'

const AFTER = `
Prints a script that has the shell complete commands and options, and the
names of profiles, models, scopes and certificates of the configuration.

  bash  put \`source <(morango completion bash)\` into ~/.bashrc
  zsh   put \`source <(morango completion zsh)\` into ~/.zshrc, after compinit
  fish  morango completion fish > ~/.config/fish/completions/morango.fish

Example:
  $ source <(morango completion bash)
`

/** `morango completion`, and the hidden command that its scripts call. */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .summary('print a script for completion in a shell')
    .description('Prints a script that completes this command in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action((shell: Shell, flags: { json?: boolean }) => {
      const script = completionScript(shell, program)
      if (flags.json === true) printJson({ shell, script })
      else printScript(script)
    })
  program
    .command('completion-values', { hidden: true })
    .addArgument(new Argument('<kind>').choices(VALUE_KINDS))
    .addOption(jsonOption())
    .action(async (kind: ValueKind, _flags: object, command: Command) => {
      const flags = command.optsWithGlobals<GlobalFlags & { json?: boolean }>()
      const values = await valuesOf(kind, flags)
      if (flags.json === true) printJson(values)
      else if (values.length > 0) printLines(values)
    })
}

async function valuesOf(kind: ValueKind, flags: GlobalFlags): Promise<readonly string[]> {
  if (kind === 'certificates') {
    return await withDatabase(flags, async ({ kysely }) => {
      const { heldCertificates } = await import('../../storage/certificates.ts')
      return (await heldCertificates(kysely)).map(({ certificate }) => certificate.id)
    })
  }
  const { profiles } = await loadConfig(flags.config)
  switch (kind) {
    case 'profiles':
      return profiles.map(({ name }) => name)
    case 'scopes':
      return profiles.flatMap(({ scopes }) => Object.keys(scopes))
    case 'models':
      return profiles.flatMap(({ models }) => Object.entries(models).map(([key, { name }]) => name ?? key))
  }
}

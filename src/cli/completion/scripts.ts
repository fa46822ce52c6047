import type { Command } from 'commander'
import { type CompletedCommand, completionTree } from './tree.ts'
import type { Values } from './values.ts'

/** The shells that there is a script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** One of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number]

/** A script that has the shell complete the program's commands, options and values. */
export function completionScript(shell: Shell, program: Command): string {
  const tree = completionTree(program)
  switch (shell) {
    case 'bash':
      return bashScript(tree)
    case 'zsh':
      return zshScript(tree)
    case 'fish':
      return fishScript(tree)
  }
}

/** The command line that lists values, with the words typed so far to find its --config in. */
const ASK = 'morango completion-values'

// Words are looked at from the left: the command is what remains when options and their values are left out.
function bashScript(tree: readonly CompletedCommand[]): string {
  return `# Completes morango in bash: source <(morango completion bash)
_morango() {
  local cur prev path word skip i config
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  path="" skip="" config=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ -n $skip ]]; then skip=""; continue; fi
    case "$word" in
      -c|--config) config=(--config "\${COMP_WORDS[i+1]}"); skip=1 ;;
      ${takingValues(tree).join('|')}) skip=1 ;;
      -*) ;;
      *) case "$path $word" in
${tree
  .filter(({ path }) => path !== '')
  .map(({ path }) => `        "${spaced(path)}") path="${spaced(path)}" ;;`)
  .join('\n')}
        esac ;;
    esac
  done
  case "$path" in
${tree.map(bashCommand).join('\n')}
  esac
}
_morango_values() {
  local line
  while IFS= read -r line; do
    if [[ $line == "$cur"* ]]; then COMPREPLY+=("$line"); fi
  done < <(${ASK} "$1" "\${config[@]}" 2>/dev/null)
}
complete -F _morango morango
`
}

function bashCommand({ path, commands, options, values }: CompletedCommand): string {
  const cases = options.flatMap(({ flags, values: taken }) =>
    taken === undefined ? [] : [`      ${flags.join('|')}) ${bashValues(taken)}; return ;;`],
  )
  const flags = options.flatMap((option) => option.flags).join(' ')
  const others =
    commands.length > 0
      ? bashValues({ from: 'list', list: commands.map(({ name }) => name) })
      : bashValues(values)
  return `    "${spaced(path)}")
      case "$prev" in
  ${cases.join('\n  ')}
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "${flags}" -- "$cur"))
      else ${others}; fi ;;`
}

function bashValues(values: Values): string {
  switch (values.from) {
    case 'list':
      return `COMPREPLY=($(compgen -W "${values.list.join(' ')}" -- "$cur"))`
    case 'morango':
      return `_morango_values ${values.kind}`
    case 'files':
      return 'COMPREPLY=($(compgen -f -- "$cur"))'
    case 'nothing':
      return ':'
  }
}

function zshScript(tree: readonly CompletedCommand[]): string {
  return `#compdef morango
# Completes morango in zsh: source <(morango completion zsh)
_morango_values() {
  local -a values config
  local i=\${words[(i)(-c|--config)]}
  (( i < $#words )) && config=(--config "\${words[i+1]}")
  values=(\${(f)"$(${ASK} $1 $config 2>/dev/null)"})
  compadd -a values
}
${tree.map(zshFunction).join('\n')}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _morango "$@"; else compdef _morango morango; fi
`
}

function zshFunction({ path, commands, options, values }: CompletedCommand): string {
  const specs = options.map(({ flags, about, values: taken }) => {
    const names = flags.length === 1 ? (flags[0] ?? '') : `{${flags.join(',')}}`
    const text = `[${zshText(about)}]${taken === undefined ? '' : `:value:${zshValues(taken)}`}`
    return `    '*'${names}'${text}' \\`
  })
  const rest =
    commands.length > 0
      ? `    '1:command:((${commands.map(({ name, about }) => `${name}\\:"${zshText(about)}"`).join(' ')}))' \\\n    '*::argument:->more'`
      : `    '1:argument:${zshValues(values)}' \\\n    '*::argument:'`
  const more = commands.map(
    ({ name }) => `      ${name}) ${functionName(path === '' ? name : `${path} ${name}`)} ;;`,
  )
  return `${functionName(path)}() {
  local curcontext="$curcontext" state line
  _arguments -C \\
${specs.join('\n')}
${rest}
${more.length === 0 ? '' : `  if [[ $state == more ]]; then\n    case $line[1] in\n${more.join('\n')}\n    esac\n  fi\n`}}`
}

function zshValues(values: Values): string {
  switch (values.from) {
    case 'list':
      return `(${values.list.join(' ')})`
    case 'morango':
      return `_morango_values ${values.kind}`
    case 'files':
      return '_files'
    case 'nothing':
      return ''
  }
}

function zshText(text: string): string {
  return text.replaceAll(/['"`$\\[\]:]/gu, '')
}

function functionName(path: string): string {
  return `_morango${path === '' ? '' : `_${path.replaceAll(/[ -]/gu, '_')}`}`
}

function fishScript(tree: readonly CompletedCommand[]): string {
  const lines = tree.flatMap(({ path, commands, options, values }) => {
    const words = path === '' ? [] : path.split(' ')
    const inside = words.map((word) => `__fish_seen_subcommand_from ${word}`)
    const free =
      commands.length === 0
        ? []
        : [`not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(' ')}`]
    const here = [...inside, ...free].join('; and ')
    const when = here === '' ? '' : ` -n '${here}'`
    const asked = inside.length === 0 ? '' : ` -n '${inside.join('; and ')}'`
    return [
      ...commands.map(({ name, about }) => `complete -c morango${when} -a ${name} -d '${fishText(about)}'`),
      ...(commands.length > 0 || values.from === 'nothing'
        ? []
        : [`complete -c morango${when}${fishValues(values)}`]),
      ...options.map(({ flags, about, values: taken }) => {
        const names = flags.map((flag) =>
          flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
        )
        const value = taken === undefined ? '' : ` -x${fishValues(taken)}`
        return `complete -c morango${asked} ${names.join(' ')}${value} -d '${fishText(about)}'`
      }),
    ]
  })
  return `# Completes morango in fish: morango completion fish | source
function __morango_values
  set -l words (commandline -opc)
  set -l at (contains -i -- --config $words; or contains -i -- -c $words)
  set -l config
  test -n "$at"; and set config --config $words[(math $at + 1)]
  ${ASK} $argv[1] $config 2>/dev/null
end
complete -c morango -f
${[...new Set(lines)].join('\n')}
`
}

function fishValues(values: Values): string {
  switch (values.from) {
    case 'list':
      return ` -a '${values.list.join(' ')}'`
    case 'morango':
      return ` -a '(__morango_values ${values.kind})'`
    case 'files':
      return " -a '(__fish_complete_path)'"
    case 'nothing':
      return ''
  }
}

function fishText(text: string): string {
  return text.replaceAll(/['\\]/gu, '')
}

function takingValues(tree: readonly CompletedCommand[]): string[] {
  const flags = tree.flatMap(({ options }) =>
    options.flatMap((option) => (option.values === undefined ? [] : option.flags)),
  )
  return [...new Set(flags)].filter((flag) => flag !== '-c' && flag !== '--config')
}

function spaced(path: string): string {
  return path === '' ? '' : ` ${path}`
}

import { Argument, type Command } from 'commander'
import type { Run } from '../run.ts'

const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

export function registerCompletion(program: Command, run: Run): void {
  program
    .command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText('after', '\nExample: chantal completion bash > /etc/bash_completion.d/chantal\n')
    .action((shell: Shell, _: object, command: Command) =>
      run(command, async (session) => session.output.text(scripts[shell](wordsOf(program)))),
    )
}

/** What may follow the words typed so far: `''`, `repo`, `repo sync` → subcommands and options. */
type Words = ReadonlyMap<string, readonly string[]>

function wordsOf(command: Command, path = ''): Words {
  const options = (of: Command) =>
    of.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? [])
  const globals = command.parent ? [] : options(command)
  const words = new Map<string, readonly string[]>()
  const visit = (node: Command, at: string) => {
    words.set(at, [
      ...node.commands.map((child) => child.name()),
      ...(node === command ? [] : options(node)),
      ...globals,
      '--help',
    ])
    for (const child of node.commands) visit(child, at === '' ? child.name() : `${at} ${child.name()}`)
  }
  visit(command, path)
  return words
}

/** Commands whose arguments are repositories: their ids are asked for when they are completed. */
const takesIds = [
  'repo show',
  'repo sync',
  'repo check-updates',
  'repo history',
  'snapshot list',
  'snapshot create',
  'snapshot show',
  'snapshot content',
  'snapshot diff',
  'publish repo',
  'publish snapshot',
  'publish export',
  'content list',
]
const idsCommand = 'chantal repo list --quiet --format csv 2>/dev/null | tail -n +2 | cut -d, -f1'

const scripts: Readonly<Record<Shell, (words: Words) => string>> = {
  bash: (words) => `# bash completion for chantal
_chantal() {
  local path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) case "\${path:+$path }$word" in ${paths(words)}) path="\${path:+$path }$word";; esac;; esac
  done
  local candidates=""
  case "$path" in
${[...words].map(([path, list]) => `    "${path}") candidates="${list.join(' ')}";;`).join('\n')}
  esac
  case "$path" in ${takesIds.map((path) => `"${path}"`).join('|')}) candidates="$candidates $(${idsCommand})";; esac
  COMPREPLY=($(compgen -W "$candidates" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _chantal chantal
`,
  zsh: (words) => `#compdef chantal
_chantal() {
  local path="" word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in -*) ;; *) case "\${path:+$path }$word" in ${paths(words)}) path="\${path:+$path }$word";; esac;; esac
  done
  local -a candidates
  case "$path" in
${[...words].map(([path, list]) => `    "${path}") candidates=(${list.join(' ')});;`).join('\n')}
  esac
  case "$path" in ${takesIds.map((path) => `"${path}"`).join('|')}) candidates+=(\${(f)"$(${idsCommand})"});; esac
  compadd -- $candidates
  _files
}
compdef _chantal chantal
`,
  fish: (words) => `# fish completion for chantal
function __chantal_path
    set -l path ''
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; and continue
        set -l next (string trim -- "$path $word")
        contains -- "$next" ${[...words.keys()]
          .filter(Boolean)
          .map((path) => `'${path}'`)
          .join(' ')}; and set path $next
    end
    echo $path
end
${[...words].map(([path, list]) => `complete -c chantal -f -n 'test (__chantal_path) = "${path}"' -a '${list.join(' ')}'`).join('\n')}
${takesIds.map((path) => `complete -c chantal -f -n 'test (__chantal_path) = "${path}"' -a '(${idsCommand})'`).join('\n')}
`,
}

/** As alternatives in a shell script. */
function paths(words: Words): string {
  return [...words.keys()]
    .filter((path) => path !== '')
    .map((path) => `"${path}"`)
    .join('|')
}

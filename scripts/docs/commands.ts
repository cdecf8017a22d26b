import type { Command } from 'commander'
import { buildProgram } from '../../src/cli/cli.ts'
import type { Terminal } from '../../src/cli/services.ts'

/** The tree of commands, to be read and not to be run. */
export function documentationProgram(): Command {
  const terminal: Terminal = {
    stdout: { write() {} },
    stderr: { write() {} },
    readBytes: () => emptySource(),
    async writeBytes() {},
    isInteractive: false,
    columns: 80,
    useColor: false,
    confirm: async () => null,
  }
  return buildProgram('0', terminal, async () => {
    throw new Error('documentation runs no command')
  })
}

async function* emptySource() {}

/** Commands that do something, groups left out, in the order of the program's help. */
export function leafCommands(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leafCommands)
}

/** `chantal repo sync` */
export function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name()
}

export function renderCommands(program: Command): string {
  return `${[
    '# Commands',
    '<!-- Made by `npm run docs` from the program. Change the command, not this page. -->',
    'What a *source* is, and how results look for programs: `chantal help sources`, `chantal help json`, and [results](results.md). ' +
      'Exit statuses: [errors](errors.md).',
    '## Global options',
    'They may stand before or after the command.',
    optionTable(program),
    ...leafCommands(program).map(renderCommand),
  ].join('\n\n')}\n`
}

function renderCommand(command: Command): string {
  const help = command.createHelp()
  const options = command.options.length > 0
  const described = command.registeredArguments.filter(
    (argument) => help.argumentDescription(argument) !== '',
  )
  return [
    `## ${fullName(command)}`,
    sentence(command.description()),
    `\`\`\`text\n${help.commandUsage(command)}\n\`\`\``,
    ...(described.length > 0
      ? [
          table(
            ['Argument', ''],
            described.map((argument) => [
              code(help.argumentTerm(argument)),
              help.argumentDescription(argument),
            ]),
          ),
        ]
      : []),
    ...(options ? [optionTable(command)] : []),
    ...exampleOf(command),
  ].join('\n\n')
}

function optionTable(command: Command): string {
  const help = command.createHelp()
  return table(
    ['Option', ''],
    help
      .visibleOptions(command)
      .filter((option) => option.long !== '--help')
      .map((option) => [code(help.optionTerm(option)), help.optionDescription(option)]),
  )
}

/** The example that stands below a command's help. */
function exampleOf(command: Command): readonly string[] {
  let text = ''
  command.configureOutput({ writeOut: (written) => void (text += written) }).outputHelp()
  const examples = [...text.matchAll(/^Examples?:\s*(chantal .+)$/gm)].map(([, example]) => example)
  return examples.length === 0 ? [] : [`\`\`\`console\n${examples.join('\n')}\n\`\`\``]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function code(text: string): string {
  return `\`${text}\``
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

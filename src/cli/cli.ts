import { Command, CommanderError, Option } from 'commander'
import { ChantalError, isChantalError } from '../core/errors.ts'
import { registerCompletion } from './commands/completion.ts'
import { registerConfig } from './commands/config.ts'
import { registerContent } from './commands/content.ts'
import { registerDb } from './commands/db.ts'
import { registerDoctor } from './commands/doctor.ts'
import { registerInit } from './commands/init.ts'
import { registerLease } from './commands/lease.ts'
import { registerPackage } from './commands/package.ts'
import { registerPool } from './commands/pool.ts'
import { registerPublish } from './commands/publish.ts'
import { registerRepository } from './commands/repository.ts'
import { registerSnapshot } from './commands/snapshot.ts'
import { registerStats } from './commands/stats.ts'
import { registerView } from './commands/view.ts'
import { errorDocument, renderBug, renderCauses, renderError } from './render/error.ts'
import { progressKinds } from './render/progress.ts'
import { type Run, ShownFailure } from './run.ts'
import type { CliServices, Terminal } from './services.ts'
import { type GlobalOptions, Session } from './session.ts'
import { registerTopics } from './topics.ts'

/** Runs one command line. @returns the exit status */
export async function runCli(
  args: readonly string[],
  services: CliServices,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  let options: Partial<GlobalOptions> = {}
  const program = buildProgram(services.version, terminal, async (command, work) => {
    const globals = command.optsWithGlobals<GlobalOptions>()
    options = globals
    await using session = new Session(globals, services, terminal, signal)
    await work(session)
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return 0
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0
    if (thrown instanceof ShownFailure) return thrown.error.traits.exit
    const error = explain(thrown, signal)
    const isForMachines = options.json ?? (options.format === 'json' || asksForJson(args))
    if (!isChantalError(error)) {
      terminal.stderr.write(renderBug(error, services.version))
      if (isForMachines) writeError(terminal, bugOf(error))
      return 1
    }
    if (isForMachines) writeError(terminal, error)
    else {
      const useColor = (options.color ?? !args.includes('--no-color')) && terminal.useColor
      terminal.stderr.write(renderError(error, useColor))
      if (options.verbose) terminal.stderr.write(renderCauses(error))
    }
    return error.traits.exit
  }
}

/** The whole tree of commands; completion and the documentation are made from it too. */
export function buildProgram(version: string, terminal: Terminal, run: Run): Command {
  const program = new Command('chantal')
    .description(
      'Mirrors package repositories, freezes snapshots, and publishes trees that unmodified clients accept.',
    )
    .version(version, '--version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .addHelpText('after', '\nStart here: chantal help start\n')
    .configureOutput({ writeOut: (text) => terminal.stdout.write(text), writeErr: () => {} })
    .exitOverride()
    .option('--config <file>', 'configuration to use, instead of searching for one')
    .addOption(
      new Option('--format <format>', 'how results are shown')
        .choices(['table', 'json', 'csv'])
        .default('table'),
    )
    .option('--json', 'short for --format json')
    .addOption(
      new Option('--progress <kind>', 'how progress is shown, on standard error; warnings are shown with any')
        .choices([...progressKinds])
        .default('auto'),
    )
    .option('--quiet', 'show no progress and no warnings')
    .option('--verbose', 'show more of what happens')
    .option('--no-color', 'use no colour; NO_COLOR in the environment does the same')
  registerInit(program, run)
  registerConfig(program, run)
  registerRepository(program, run)
  registerSnapshot(program, run)
  registerPublish(program, run)
  registerView(program, run)
  registerContent(program, run)
  registerPackage(program, run)
  registerPool(program, run)
  registerDb(program, run)
  registerLease(program, run)
  registerStats(program, run)
  registerDoctor(program, run)
  registerCompletion(program, run)
  registerTopics(program, terminal)
  return program
}

/** What a user is told: usage mistakes and interruptions as such, what is already a user's error as it is, the rest as a bug. */
function explain(thrown: unknown, signal: AbortSignal): unknown {
  if (signal.aborted && !isChantalError(thrown)) {
    return new ChantalError('INTERRUPTED', 'interrupted', {
      cause: thrown,
      hint: 'Everything is consistent; run the command again to go on.',
    })
  }
  if (!(thrown instanceof CommanderError)) return thrown
  const [message = '', ...suggestion] = thrown.message.replace(/^error: /, '').split('\n')
  const hint = suggestion.join(' ').replace(/^\(|\)$/g, '')
  return new ChantalError('USAGE_INVALID', message === '(outputHelp)' ? 'no command given' : message, {
    hint: hint === '' ? 'See --help.' : hint,
  })
}

function writeError(terminal: Terminal, error: ChantalError): void {
  terminal.stdout.write(`${JSON.stringify(errorDocument(error), null, 2)}\n`)
}

function bugOf(thrown: unknown): ChantalError {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new ChantalError('INTERNAL', message, { hint: 'Report it with what standard error shows.' })
}

/** For mistakes that are found before the options are. */
function asksForJson(args: readonly string[]): boolean {
  return args.some(
    (arg, index) =>
      arg === '--json' || arg === '--format=json' || (arg === 'json' && args[index - 1] === '--format'),
  )
}

import type { Command } from 'commander'
import { ChantalError } from '../../core/errors.ts'
import { count } from '../render/units.ts'
import type { Run } from '../run.ts'

export function registerConfig(program: Command, run: Run): void {
  const config = program.command('config').description('the configuration: check it, show it, describe it')

  config
    .command('check')
    .description('load the configuration, and open the keys, certificates and files that it names')
    .addHelpText('after', '\nExample: chantal config check --config /etc/chantal/config.yaml\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const { checkConfiguration } = await import('../../config/check.ts')
        const { settings } = await session.services.loadConfiguration(session.configFile)
        const { problems, notices } = await checkConfiguration(settings, session.services.now())
        if (problems.length > 0) throw problemsError(problems)
        const result = {
          files: settings.files,
          repositories: settings.repositories.length,
          views: settings.views.length,
          notices,
        }
        session.output.one(result, () => [
          ...notices.map((notice) => `notice: ${notice}`),
          `${settings.files.join(', ')}: in order (${count(result.repositories, 'repository')}, ${count(result.views, 'view')})`,
        ])
      }),
    )

  config
    .command('show')
    .description('show the configuration as it was read, without its secrets')
    .option('--resolved', 'with every default filled in')
    .addHelpText('after', '\nExample: chantal config show --resolved --json\n')
    .action((options: { resolved?: boolean }, command: Command) =>
      run(command, async (session) => {
        const { showConfiguration } = await import('../../config/show.ts')
        const configuration = await session.services.loadConfiguration(session.configFile)
        const document = showConfiguration(configuration, { resolved: options.resolved ?? false })
        if (session.output.format === 'json') session.output.verbatimJson(document)
        else {
          const { dump } = await import('js-yaml')
          session.output.text(dump(document))
        }
      }),
    )

  config
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .addHelpText('after', '\nExample: chantal config schema > chantal.schema.json\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const { configurationJsonSchema } = await import('../../config/show.ts')
        session.output.verbatimJson(configurationJsonSchema(await session.services.ecosystems()))
      }),
    )
}

interface Problem {
  readonly repository: string
  readonly problem: string
  readonly hint: string | null
}

function problemsError(problems: readonly Problem[]): ChantalError {
  const lines = problems.map(({ repository, problem }) => `${repository}: ${problem}`)
  const hint = problems.find((problem) => problem.hint !== null)?.hint
  return new ChantalError(
    'CONFIG_INVALID',
    `the configuration names what cannot be used: ${count(lines.length, 'problem')}`,
    {
      ...(hint ? { hint } : {}),
      details: { problems: lines },
    },
  )
}

import path from 'node:path'
import type { Command } from 'commander'
import type { Initialized } from '../../app/init/initialize.ts'
import { ChantalError } from '../../core/errors.ts'
import type { Run } from '../run.ts'
import type { Session } from '../session.ts'

interface InitOptions {
  readonly basePath?: string
  readonly name?: string
  readonly email?: string
}

export function registerInit(program: Command, run: Run): void {
  program
    .command('init')
    .description('write a configuration and a signing key where there are none')
    .argument('[folder]', 'where to; without, what --config names, or the current folder')
    .option(
      '--base-path <folder>',
      'where files will be kept: /var/lib/chantal, or data beside a configuration outside of /etc',
    )
    .option('--name <name>', 'whose key it is, as clients see it')
    .option('--email <address>', 'an address for the key')
    .addHelpText(
      'after',
      '\nExample: chantal init /etc/chantal --name "Example packages" --email packages@example.org\n',
    )
    .action((folder: string | undefined, options: InitOptions, command: Command) =>
      run(command, async (session) => {
        const { initialize } = await import('../../app/init/initialize.ts')
        const { services } = session
        const configuration = configurationOf(session, folder)
        const basePath = options.basePath ?? defaultBasePath(configuration)
        const owner = {
          name: options.name ?? `Packages of ${services.host}`,
          email: options.email ?? `chantal@${services.host}`,
        }
        const result = await initialize((of) => services.newSigningKey(of), {
          configuration,
          basePath: path.resolve(services.workingFolder, basePath),
          owner,
        })
        const next = nextSteps(result, configuration, services.workingFolder)
        session.output.one({ ...result, next }, () => [
          ...result.files.map(({ path: file, status }) => `${status} ${file}`),
          ...(result.fingerprint === null ? [] : [`signing key: ${result.fingerprint}`]),
          '',
          'Next:',
          ...next.map((step) => `  ${step}`),
        ])
      }),
    )
}

function configurationOf({ configFile, services }: Session, folder: string | undefined): string {
  if (folder !== undefined && configFile !== null)
    throw new ChantalError('USAGE_INVALID', `${folder} and --config name a configuration twice`, {
      hint: 'Give one of them.',
    })
  return path.resolve(services.workingFolder, folder ?? '.', configFile ?? 'config.yaml')
}

function defaultBasePath(configuration: string): string {
  return configuration.startsWith('/etc/')
    ? '/var/lib/chantal'
    : path.join(path.dirname(configuration), 'data')
}

function nextSteps({ files }: Initialized, configuration: string, workingFolder: string): readonly string[] {
  const isFound = ['/etc/chantal/config.yaml', path.join(workingFolder, 'config.yaml')].includes(
    configuration,
  )
  const chantal = isFound ? 'chantal' : `chantal --config ${configuration}`
  const isKept = files.some(({ holds, status }) => holds === 'configuration' && status === 'kept')
  const hasNewKey = files.some(({ holds }) => holds === 'public_key')
  return [
    ...(isKept && hasNewKey
      ? [`Name the key in ${configuration}: signing: { key_file: signing-key.asc }`]
      : []),
    ...(isKept ? [] : [`Take the hashes away from a repository in ${configuration}, or write your own.`]),
    `${chantal} config check`,
    `${chantal} doctor`,
    `${chantal} repo sync --all`,
    `${chantal} publish repo --all`,
    ...(hasNewKey
      ? ['Keep a copy of signing-key.asc in a safe place, and give clients signing-key.pub.asc.']
      : []),
  ]
}

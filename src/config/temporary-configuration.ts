import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { type ChantalError, isChantalError } from '../core/errors.ts'
import type { EcosystemId } from '../core/model.ts'
import type { EcosystemConfiguration, EcosystemConfigurations } from './ecosystem-configuration.ts'
import { type Configuration, loadConfiguration } from './load.ts'

/** For tests: files in a temporary folder, loaded as the program would. */
export class TemporaryConfiguration implements AsyncDisposable {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** @param files text by name; `config.yaml` is the main one */
  static async of(files: Readonly<Record<string, string | Uint8Array>>): Promise<TemporaryConfiguration> {
    const folder = await mkdtemp(join(tmpdir(), 'chantal-config-'))
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), text)
    }
    return new TemporaryConfiguration(folder)
  }

  load(
    environment: Readonly<Record<string, string>> = {},
    now = new Date('2026-06-01T00:00:00Z'),
  ): Promise<Configuration> {
    return loadConfiguration({
      file: 'config.yaml',
      environment,
      home: null,
      workingFolder: this.folder,
      ecosystems: ecosystemsForTests,
      now,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Loads one file and gives what came of it. */
export async function loadText(
  text: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Configuration> {
  await using files = await TemporaryConfiguration.of({ 'config.yaml': text })
  return await files.load(environment)
}

/** The error that loading `files` ends with. */
export async function errorOf(
  files: Readonly<Record<string, string>> | string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ChantalError> {
  await using folder = await TemporaryConfiguration.of(
    typeof files === 'string' ? { 'config.yaml': files } : files,
  )
  const error = await folder.load(environment).then(
    () => null,
    (error: unknown) => error,
  )
  if (isChantalError(error)) return error
  throw error ?? new Error('the configuration was loaded')
}

const texts = z.array(z.string())
const list = z
  .strictObject({
    include: texts.optional().describe('Only these.'),
    exclude: texts.optional().describe('None of these.'),
  })
  .describe('A list.')

const rpm: EcosystemConfiguration = {
  id: 'rpm' as EcosystemId,
  title: 'RPM',
  options: z.strictObject({ compression: z.enum(['gzip', 'zstd']).optional().describe('Compression.') }),
  filterKey: 'rpm',
  filters: z.strictObject({
    exclude_source_rpms: z.boolean().optional().describe('No sources.'),
    licenses: list.optional(),
  }),
  statesBuildTime: true,
  hasMetalinks: true,
  packageSignatures: {},
}

const apt: EcosystemConfiguration = {
  id: 'apt' as EcosystemId,
  title: 'APT',
  options: z.strictObject({
    suites: z.array(z.string()).describe('Suites.'),
    components: z.array(z.string()).default(['main']).describe('Components.'),
    architectures: z.array(z.string()).default(['amd64']).describe('Architectures.'),
    sources: z.boolean().default(false).describe('Sources.'),
    release: z
      .strictObject({
        origin: z.string().optional().describe('Origin.'),
        label: z.string().optional().describe('Label.'),
        suite: z.string().optional().describe('Suite.'),
        codename: z.string().optional().describe('Codename.'),
        not_automatic: z.boolean().optional().describe('Not automatic.'),
        but_automatic_upgrades: z.boolean().optional().describe('Upgrades.'),
        valid_days: z.int().optional().describe('Days.'),
      })
      .optional()
      .describe('Release.'),
  }),
  filterKey: 'deb',
  filters: z.strictObject({ sections: list.optional() }),
  statesBuildTime: false,
  hasMetalinks: false,
  optionModes: { release: ['filtered', 'hosted'] },
  packageSignatures: null,
}

export const ecosystemsForTests: EcosystemConfigurations = new Map(
  [rpm, apt].map((ecosystem) => [ecosystem.id, ecosystem]),
)

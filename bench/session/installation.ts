import { cpSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKey } from 'openpgp'
import type { AppContext } from '../../src/app/context.ts'
import { copySnapshot, createSnapshot } from '../../src/app/snapshot/create-snapshot.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import { ecosystems } from '../../src/ecosystems/registry.ts'
import { openContext } from '../../src/open-context.ts'
import type { Sample } from './measured-command.ts'

const root = join(import.meta.dirname, '..', '..')

/** The built program, kept as it was when the benchmark began. */
export interface Program {
  readonly file: string
  /** The sources were changed since it was built. */
  readonly isStale: boolean
}

/** @throws Error where it was not built */
export function copyProgram(folder: string): Program {
  const built = join(root, 'dist', 'start.cjs')
  if (!existsSync(built)) throw new Error('dist/ is missing: npm run build')
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const builtAt = statSync(built).mtimeMs
  const isStale = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .some((name) => statSync(join(root, 'src', name)).mtimeMs > builtAt)
  return { file: join(folder, 'bin', 'chantal.js'), isStale }
}

export interface InstallationOptions {
  readonly program: Program
  readonly feed: string
  /** The name of an ecosystem, and what stands under it. */
  readonly type: string
  readonly options: object
  /** Public key that signs the metadata upstream. Packages are not checked: the peers do not either. */
  readonly key: string | null
  /** Private key, armored. */
  readonly signingKey: string
}

/** A fresh base path with two repositories of one upstream: `mirrored` byte for byte, `filtered` under a key of its own. */
export class Installation {
  readonly #program: Program
  readonly #configuration: string

  constructor(folder: string, { program, feed, type, options, key, signingKey }: InstallationOptions) {
    mkdirSync(folder)
    this.#program = program
    this.#configuration = join(folder, 'config.yaml')
    const packages = type === 'rpm' ? { packages: 'off' } : {}
    const verify = key === null ? {} : { verify: { keys: [key], ...packages } }
    const filtered = {
      mode: 'filtered',
      signing: { key_file: signingKey },
      filters: { patterns: { exclude: ['-(dbg|dbgsym|debuginfo|debugsource)$'] } },
    }
    // JSON is YAML.
    const configuration = {
      storage: { base_path: folder },
      repositories: [
        { id: 'mirrored', type, feed, [type]: options, ...verify },
        { id: 'filtered', type, feed, [type]: options, ...verify, ...filtered },
      ],
    }
    writeFileSync(this.#configuration, JSON.stringify(configuration, null, 2))
  }

  /** A command line of the program, as a user would type it. */
  command(...words: readonly string[]): readonly string[] {
    return [this.#program.file, ...words, '--config', this.#configuration, '--progress', 'none']
  }

  /** Names the latest revision of `mirrored`, and copies that name, without the start of a program around it. */
  async snapshotsInProcess(): Promise<{ readonly create: Sample; readonly copy: Sample }> {
    const { settings } = await loadConfiguration({
      file: this.#configuration,
      environment: {},
      home: null,
      workingFolder: root,
      ecosystems,
      now: new Date(),
    })
    const reporter: AppContext['reporter'] = { report: () => {} }
    await using context = await openContext(settings, { reporter, now: () => new Date(), version: 'bench' })
    const signal = new AbortController().signal
    const source = 'mirrored@in-process'
    const create = await timed(() =>
      createSnapshot(context, { source, description: null, labels: {} }, signal),
    )
    const copy = await timed(() => copySnapshot(context, { from: source, to: `${source}-copy` }, signal))
    return { create, copy }
  }
}

/** @returns the file of an armored private key without a passphrase */
export async function generateSigningKey(folder: string): Promise<string> {
  const { privateKey } = await generateKey({
    type: 'rsa',
    rsaBits: 4096,
    userIDs: [{ name: 'benchmark' }],
    format: 'armored',
  })
  const file = join(folder, 'signing.asc')
  writeFileSync(file, privateKey, { mode: 0o600 })
  return file
}

async function timed(work: () => Promise<unknown>): Promise<Sample> {
  const started = performance.now()
  await work()
  return { wallS: (performance.now() - started) / 1000, cpuS: null, peakRssMiB: null }
}

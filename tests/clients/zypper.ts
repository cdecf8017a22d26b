import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { runCommand } from './command.ts'
import { findTool } from './requirements.ts'
import { rpmInstalledIn } from './rpm-database.ts'

export interface ZypperOptions {
  readonly baseurl: string
  /** Path of the armored public key. It is imported beforehand: no key that the server offers is taken. */
  readonly key: string
}

export interface ZypperPackage {
  readonly name: string
  /** `version-release` */
  readonly edition: string
  readonly architecture: string
}

/**
 * zypper with one repository and all its signature checks on, in a root of its own.
 * Methods throw `CommandFailed` with all that zypper wrote.
 */
export class ZypperClient implements AsyncDisposable {
  /** The root it installs into. */
  readonly root: string
  readonly #folder: string
  readonly #program: string

  static async create(options: ZypperOptions): Promise<ZypperClient> {
    const program = findTool('zypper')
    if (program === null) throw new Error('zypper is not installed; see scripts/install-clients.sh')
    const client = new ZypperClient(await mkdtemp(join(tmpdir(), 'chantal-zypper-')), program)
    await client.#prepare(options)
    return client
  }

  private constructor(folder: string, program: string) {
    this.#folder = folder
    this.#program = program
    this.root = join(folder, 'root')
  }

  /** Loads the metadata anew. */
  async refresh(): Promise<void> {
    await this.#zypper('refresh', '--force', 'test')
  }

  /** All packages of the repository. */
  async search(): Promise<readonly ZypperPackage[]> {
    const xml = await this.#zypper('--xmlout', 'search', '--details', '--type', 'package')
    return [...xml.matchAll(/<solvable ([^>]*)\/>/g)].map(([, attributes = '']) => ({
      name: attribute(attributes, 'name'),
      edition: attribute(attributes, 'edition'),
      architecture: attribute(attributes, 'arch'),
    }))
  }

  async install(...names: readonly string[]): Promise<void> {
    await this.#zypper('install', '--no-recommends', '--no-confirm', ...names)
  }

  /** What the root holds now: `name-version-release.architecture`, sorted. */
  async installed(): Promise<readonly string[]> {
    return await rpmInstalledIn(this.root)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #prepare({ baseurl, key }: ZypperOptions): Promise<void> {
    const repositories = join(this.root, 'etc/zypp/repos.d')
    await mkdir(repositories, { recursive: true })
    await mkdir(join(this.root, 'var/lib/rpm'), { recursive: true })
    await mkdir(join(this.#folder, 'home'))
    for (const name of ['zypp.conf', 'zypper.conf']) await writeFile(join(this.root, 'etc/zypp', name), '')
    const lines = [
      '[test]',
      'name=test',
      `baseurl=${baseurl}`,
      'type=rpm-md',
      'enabled=1',
      'autorefresh=0',
      'gpgcheck=1',
      'repo_gpgcheck=1',
      'pkg_gpgcheck=1',
      `gpgkey=file://${resolve(key)}`,
    ]
    await writeFile(join(repositories, 'test.repo'), `${lines.join('\n')}\n`)
    const database = ['--root', this.root, '--dbpath', '/var/lib/rpm']
    await runCommand('rpm', [...database, '--initdb'])
    await runCommand('rpm', [...database, '--import', resolve(key)])
  }

  async #zypper(...args: readonly string[]): Promise<string> {
    const environment = {
      HOME: join(this.#folder, 'home'),
      ZYPP_CONF: join(this.root, 'etc/zypp/zypp.conf'),
      ZYPP_LOGFILE: join(this.#folder, 'zypper.log'),
    }
    const { stdout } = await runCommand(this.#program, ['--root', this.root, '--non-interactive', ...args], {
      environment,
    })
    return stdout
  }
}

function attribute(attributes: string, name: string): string {
  return new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? ''
}

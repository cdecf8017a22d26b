import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { linesOf, runCommand } from './command.ts'
import { rpmInstalledIn } from './rpm-database.ts'

export interface DnfOptions {
  readonly baseurl: string
  /** Path of the armored public key; `null` where nothing is checked. */
  readonly key: string | null
  /** Check the signatures of packages. Default: yes. */
  readonly gpgcheck?: boolean
  /** Check `repomd.xml.asc`. Default: yes. */
  readonly repoGpgcheck?: boolean
  /** Seconds for which a command makes do with the metadata it has. Default: 0, each command asks for newer; dnf's own is two days. */
  readonly metadataExpire?: number
}

export interface DnfPackage {
  readonly name: string
  readonly epoch: string
  readonly version: string
  readonly release: string
  readonly architecture: string
}

export interface DnfGroup {
  readonly id: string
  readonly name: string
}

export interface DnfModule {
  readonly name: string
  readonly stream: string
  readonly isDefault: boolean
}

export interface DnfAdvisory {
  readonly id: string
  /** As dnf shows it: `Moderate/Sec.`, `bugfix`. */
  readonly kind: string
  /** `name-version-release.architecture` */
  readonly package: string
}

/**
 * dnf 4 with one repository, in an installation root, cache and configuration of its own, as an EL 9 host on x86_64 would have them.
 * Methods throw `CommandFailed` with all that dnf wrote.
 */
export class DnfClient implements AsyncDisposable {
  /** The root it installs into. */
  readonly root: string
  readonly #folder: string

  static async create(options: DnfOptions): Promise<DnfClient> {
    const client = new DnfClient(await mkdtemp(join(tmpdir(), 'chantal-dnf-')))
    for (const name of ['root', 'home', 'download', 'repositories']) await mkdir(join(client.#folder, name))
    await writeFile(join(client.#folder, 'home', '.rpmmacros'), rpmMacros)
    await writeFile(join(client.#folder, 'dnf.conf'), mainSection(client.#folder))
    await client.setRepository(options)
    return client
  }

  private constructor(folder: string) {
    this.#folder = folder
    this.root = join(folder, 'root')
  }

  /** Points the client elsewhere; its cache and what it installed stay. */
  async setRepository(options: DnfOptions): Promise<void> {
    const { baseurl, key, gpgcheck = true, repoGpgcheck = true, metadataExpire = 0 } = options
    const lines = [
      '[test]',
      'name=test',
      `baseurl=${baseurl}`,
      `gpgcheck=${Number(gpgcheck)}`,
      `repo_gpgcheck=${Number(repoGpgcheck)}`,
      `metadata_expire=${metadataExpire}`,
      ...(key === null ? [] : [`gpgkey=file://${resolve(key)}`]),
      'skip_if_unavailable=0',
    ]
    await writeFile(join(this.#folder, 'repositories', 'test.repo'), `${lines.join('\n')}\n`)
  }

  /** Loads the metadata anew, and checks its signature where that is asked for. */
  async makecache(): Promise<void> {
    await this.#dnf('makecache', '--refresh')
  }

  /** All packages, or those that match. */
  async repoquery(...args: readonly string[]): Promise<readonly DnfPackage[]> {
    const format = '%{name}|%{epoch}|%{version}|%{release}|%{arch}'
    return linesOf(await this.#dnf('repoquery', '--queryformat', format, ...args)).map((line) => {
      const [name = '', epoch = '', version = '', release = '', architecture = ''] = line.split('|')
      return { name, epoch, version, release, architecture }
    })
  }

  async requires(name: string): Promise<readonly string[]> {
    return linesOf(await this.#dnf('repoquery', '--requires', name))
  }

  async provides(name: string): Promise<readonly string[]> {
    return linesOf(await this.#dnf('repoquery', '--provides', name))
  }

  async whatProvides(capability: string): Promise<readonly DnfPackage[]> {
    return await this.repoquery('--whatprovides', capability)
  }

  /** Paths of files in packages: reads `filelists.xml`. */
  async files(name: string): Promise<readonly string[]> {
    return linesOf(await this.#dnf('repoquery', '--list', name))
  }

  async install(...names: readonly string[]): Promise<void> {
    await this.#dnf('install', ...names)
  }

  async upgrade(): Promise<void> {
    await this.#dnf('upgrade')
  }

  /** What the root holds now: `name-version-release.architecture`, sorted. */
  async installed(): Promise<readonly string[]> {
    return await rpmInstalledIn(this.root)
  }

  /** @returns paths of all files downloaded so far. Needs dnf-plugins-core. */
  async download(...names: readonly string[]): Promise<readonly string[]> {
    const folder = join(this.#folder, 'download')
    await this.#dnf('download', '--destdir', folder, ...names)
    return (await readdir(folder)).sort().map((name) => join(folder, name))
  }

  async groupList(): Promise<{
    readonly environments: readonly DnfGroup[]
    readonly groups: readonly DnfGroup[]
  }> {
    const environments: DnfGroup[] = []
    const groups: DnfGroup[] = []
    let list = groups
    for (const line of linesOf(await this.#dnf('group', 'list', '--hidden', 'ids'))) {
      const [, name, id] = /^\s+(.*) \(([^()]*)\)$/.exec(line) ?? []
      if (name !== undefined && id !== undefined) list.push({ id, name })
      else list = /environment/i.test(line) ? environments : groups
    }
    return { environments, groups }
  }

  async moduleList(): Promise<readonly DnfModule[]> {
    // Rows look like "demo-engine   2 [d]   default   The engine"; what is no row has no stream in its second column.
    const rows = linesOf(await this.#dnf('module', 'list')).map((line) =>
      /^(\S+) +(\S+) +((?:\[[a-z]\])*)/.exec(line),
    )
    return rows.flatMap((row) => {
      const [, name, stream, marks] = row ?? []
      if (name === undefined || stream === undefined || name === 'Name' || name.endsWith(':')) return []
      return [{ name, stream, isDefault: marks?.includes('[d]') ?? false }]
    })
  }

  /** Advisories about installed packages (`--installed`), newer versions of them (`--updates`), or both (`--all`). */
  async updateinfoList(scope: '--all' | '--installed' | '--updates'): Promise<readonly DnfAdvisory[]> {
    return linesOf(await this.#dnf('updateinfo', 'list', scope)).map((line) => {
      const [id = '', kind = '', name = ''] = line.replace(/^i /, '').trim().split(/\s+/)
      return { id, kind, package: name }
    })
  }

  async clean(): Promise<void> {
    await this.#dnf('clean', 'all')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #dnf(...args: readonly string[]): Promise<string> {
    const common = [
      '--quiet',
      '--assumeyes',
      '--config',
      join(this.#folder, 'dnf.conf'),
      '--installroot',
      this.root,
    ]
    // Debian's plug-ins look at the host: one adds a repository of its own, one fails without its configuration file.
    const plugins = ['--disableplugin', '*', '--enableplugin', 'download']
    const host = ['--releasever', '9', '--forcearch', 'x86_64']
    const environment = { HOME: join(this.#folder, 'home') }
    const { stdout } = await runCommand('dnf', [...common, ...plugins, ...host, ...args], { environment })
    return stdout
  }
}

/** Debian's rpm keeps its database in the user's home. This is where every other system has it, keys included. */
const rpmMacros = '%_dbpath /var/lib/rpm\n'

/** Paths of the root are kept apart from the host's. The platform is what a module's streams are chosen for. */
function mainSection(folder: string): string {
  const paths = [
    `reposdir=${folder}/repositories`,
    `cachedir=${folder}/cache`,
    `persistdir=${folder}/persist`,
    `logdir=${folder}/log`,
    `varsdir=${folder}/variables`,
    `pluginconfpath=${folder}/plugins`,
  ]
  const behaviour = ['module_platform_id=platform:el9', 'install_weak_deps=0', 'keepcache=0']
  return `${['[main]', ...paths, ...behaviour].join('\n')}\n`
}

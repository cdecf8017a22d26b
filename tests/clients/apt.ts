import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { linesOf, runCommand } from './command.ts'

/** One stanza of a `.sources` file. */
export interface AptSource {
  readonly uri: string
  /** One that ends in `/` is a flat repository, and has no components. */
  readonly suites: readonly string[]
  readonly components?: readonly string[]
  /** Path of the public key, or the armored key itself, which goes into the stanza. */
  readonly signedBy: string
  /** Source packages as well. Default: no. */
  readonly sources?: boolean
}

export interface AptOptions {
  readonly sources: readonly AptSource[]
  /** The first is the machine's own. Default: amd64. */
  readonly architectures?: readonly string[]
  /** Of descriptions. Default: `en`. */
  readonly languages?: readonly string[]
  /** Loads what apt-file, AppStream and command-not-found have apt load: Contents, dep11 with icons, cnf. Default: no. */
  readonly everything?: boolean
  /** Which machine this is to phased updates: 32 hexadecimal digits. */
  readonly machineId?: string
  /** Further lines of `apt.conf`. */
  readonly configuration?: readonly string[]
}

export interface AptPolicy {
  readonly installed: string | null
  readonly candidate: string | null
  /** Newest first, with the priority of the pin that counts. */
  readonly versions: readonly { readonly version: string; readonly priority: number }[]
}

export interface AptUpdate {
  /** URLs that were loaded, and of which the copy at hand was still good. */
  readonly got: readonly string[]
  readonly hit: readonly string[]
  /** Lines about what is done without. */
  readonly ignored: readonly string[]
}

/**
 * apt with a configuration, lists, cache and installation root of its own: nothing of the machine's `/etc/apt` or packages counts. All
 * checks are on. Methods throw `CommandFailed`, or another error, with all that apt wrote.
 */
export class AptClient implements AsyncDisposable {
  /** The root it installs into. */
  readonly root: string
  readonly #folder: string
  readonly #architectures: readonly string[]

  static async create(options: AptOptions): Promise<AptClient> {
    const client = new AptClient(await mkdtemp(join(tmpdir(), 'chantal-apt-')), options.architectures)
    const { root } = client
    for (const name of foldersOfApt) await mkdir(join(client.#folder, name), { recursive: true })
    for (const name of ['info', 'updates', 'triggers'])
      await mkdir(join(root, 'var/lib/dpkg', name), { recursive: true })
    for (const name of ['status', 'available']) await writeFile(join(root, 'var/lib/dpkg', name), '')
    await writeFile(join(root, 'var/lib/dpkg/arch'), `${client.#architectures.join('\n')}\n`)
    await writeFile(join(client.#folder, 'apt.conf'), client.#configurationOf(options))
    await client.setSources(options.sources)
    return client
  }

  private constructor(folder: string, architectures: readonly string[] = ['amd64']) {
    this.#folder = folder
    this.#architectures = architectures
    this.root = join(folder, 'root')
  }

  /** Points the client elsewhere; what it has loaded and installed stays. */
  async setSources(sources: readonly AptSource[]): Promise<void> {
    const folder = join(this.#folder, 'etc/apt/sources.list.d')
    await writeFile(join(folder, 'test.sources'), sources.map(stanzaOf).join('\n'))
  }

  /** Loads the indexes. @throws where apt reports an error or a warning, though it may end with 0 */
  async update(): Promise<AptUpdate> {
    const output = await this.#run('apt-get', ['update'])
    const lines = linesOf(output)
    const trouble = lines.filter((line) => /^(Err:|E:|W:)/.test(line))
    if (trouble.length > 0) throw new Error(`apt-get update\n${output}`)
    const urls = (word: string) =>
      lines.flatMap((line) => {
        const [, url, rest = ''] = new RegExp(`^${word}:\\d+ (\\S+) (.*)`).exec(line) ?? []
        return url === undefined ? [] : [`${url} ${rest.replace(/ \[.*\]$/, '')}`]
      })
    return { got: urls('Get'), hit: urls('Hit'), ignored: lines.filter((line) => line.startsWith('Ign:')) }
  }

  /** What `apt-cache policy` says of a package. */
  async policy(name: string): Promise<AptPolicy> {
    const text = await this.#run('apt-cache', ['policy', name])
    const one = (field: string) => {
      const value = new RegExp(`^  ${field}: (.*)$`, 'm').exec(text)?.[1]
      return value === undefined || value === '(none)' ? null : value
    }
    const versions = [...text.matchAll(/^ (?:\*\*\*| {3}) (\S+) (-?\d+)(?: .*)?\n {8,}(-?\d+) /gm)]
    return {
      installed: one('Installed'),
      candidate: one('Candidate'),
      versions: versions.map(([, version = '', , priority]) => ({ version, priority: Number(priority) })),
    }
  }

  /** All binary packages that indexes list, every version, `name version architecture`, sorted. */
  async packages(): Promise<readonly string[]> {
    const lines = linesOf(await this.#run('apt', ['list', '--all-versions']))
    const rows = lines.map((line) => /^([^/\s]+)\/\S+ (\S+) (\S+)/.exec(line))
    return rows.flatMap((row) => (row ? [row.slice(1).join(' ')] : [])).sort()
  }

  /** Stanzas of a package, descriptions included in the client's first language that has one. */
  async show(name: string): Promise<string> {
    return await this.#run('apt-cache', ['show', name])
  }

  /** Installs into the root, dependencies included. `name=version`, `name/suite` and `name:architecture` work as well. */
  async install(...names: readonly string[]): Promise<void> {
    await this.#run('apt-get', ['install', ...names])
  }

  /** Installs the newest versions that policy allows. */
  async upgrade(): Promise<void> {
    await this.#run('apt-get', ['upgrade'])
  }

  /** What the root holds, `name version architecture`, sorted. */
  async installed(): Promise<readonly string[]> {
    const status = await readFile(join(this.root, 'var/lib/dpkg/status'), 'latin1')
    return identitiesIn(status, (stanza) => /^Status: install ok installed$/m.test(stanza))
  }

  /** @returns paths of what was downloaded now. Of what was downloaded before nothing is left. */
  async download(...names: readonly string[]): Promise<readonly string[]> {
    return await this.#intoEmptyFolder('apt-get', ['download', ...names])
  }

  /** Downloads the files of a source package, and with `unpack` unpacks it, signatures of makers aside. @returns paths */
  async source(name: string, { unpack = false } = {}): Promise<readonly string[]> {
    return await this.#intoEmptyFolder('apt-get', ['source', ...(unpack ? [] : ['--download-only']), name])
  }

  /** Packages that have a file of this path: reads Contents, so the client must be made with `everything`. */
  async packagesWith(path: string): Promise<readonly string[]> {
    const found = linesOf(await this.#run('apt-file', ['search', '--fixed-string', path]))
    return [...new Set(found.map((line) => line.replace(/:.*/, '')))].sort()
  }

  /** Loaded indexes by name, as apt names them after their URLs, decompressed by apt or not. */
  async lists(): Promise<readonly string[]> {
    const names = await readdir(this.#lists)
    return names.filter((name) => name.includes('_')).sort()
  }

  /** The one loaded index whose name ends so. */
  async list(ending: string): Promise<Buffer> {
    const [name, ...others] = (await this.lists()).filter((list) => list.endsWith(ending))
    if (name === undefined || others.length > 0) throw new Error(`not one list ends in ${ending}`)
    return await readFile(join(this.#lists, name))
  }

  /** Forgets all indexes and packages that were loaded. */
  async clean(): Promise<void> {
    await this.#run('apt-get', ['clean'])
    await rm(this.#lists, { recursive: true, force: true })
    await mkdir(join(this.#lists, 'partial'), { recursive: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  get #lists(): string {
    return join(this.#folder, 'var/lib/apt/lists')
  }

  async #intoEmptyFolder(command: string, args: readonly string[]): Promise<readonly string[]> {
    const folder = join(this.#folder, 'download')
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder)
    await this.#run(command, args, folder)
    return (await readdir(folder)).sort().map((name) => join(folder, name))
  }

  /** @returns what the command wrote to both outputs */
  async #run(command: string, args: readonly string[], folder = this.#folder): Promise<string> {
    const environment = { APT_CONFIG: join(this.#folder, 'apt.conf'), HOME: this.#folder }
    // Of `env` only its way to start a program in a folder is wanted.
    const { stdout, stderr } = await runCommand('env', ['--chdir', folder, command, ...args], { environment })
    return `${stdout}\n${stderr}`
  }

  #configurationOf({ languages = ['en'], everything = false, machineId, configuration = [] }: AptOptions) {
    const list = (name: string, values: readonly string[]) =>
      `${name} { ${values.map((value) => `"${value}";`).join(' ')} };`
    return [
      `Dir "${this.#folder}";`,
      `Dir::State::status "${this.root}/var/lib/dpkg/status";`,
      // Folders that others may not read are no trouble for root, which apt otherwise leaves before it downloads.
      'APT::Sandbox::User "root";',
      `APT::Architecture "${this.#architectures[0]}";`,
      list('APT::Architectures', this.#architectures),
      list('Acquire::Languages', languages.length === 0 ? ['none'] : languages),
      'Acquire::Check-Date "true";',
      'Acquire::Check-Valid-Until "true";',
      'Acquire::AllowInsecureRepositories "false";',
      'Acquire::http::Proxy "DIRECT";',
      // What fails at first is to be seen.
      'Acquire::Retries "0";',
      'APT::Get::AllowUnauthenticated "false";',
      'APT::Get::Assume-Yes "true";',
      'APT::Install-Recommends "false";',
      'quiet "1";',
      list('DPkg::Options', [
        `--root=${this.root}`,
        '--force-unsafe-io',
        `--log=${this.#folder}/var/log/dpkg.log`,
      ]),
      ...(machineId === undefined ? [] : [`APT::Machine-ID "${machineId}";`]),
      ...(everything ? furtherTargets : []),
      ...configuration,
      '',
    ].join('\n')
  }
}

const foldersOfApt = [
  ...['apt.conf.d', 'sources.list.d', 'preferences.d', 'trusted.gpg.d', 'auth.conf.d'].map(
    (name) => `etc/apt/${name}`,
  ),
  'var/lib/apt/lists/partial',
  'var/cache/apt/archives/partial',
  'var/log/apt',
]

/** Of the stanzas of a control file. */
function identitiesIn(text: string, isMeant: (stanza: string) => boolean = () => true): readonly string[] {
  const field = (stanza: string, name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? ''
  return text
    .split(/\n\n+/)
    .filter((stanza) => stanza.trim() !== '' && isMeant(stanza))
    .map((stanza) => ['Package', 'Version', 'Architecture'].map((name) => field(stanza, name)).join(' '))
    .sort()
}

function stanzaOf({ uri, suites, components = [], signedBy, sources = false }: AptSource): string {
  const key = signedBy.includes('\n')
    ? signedBy.trimEnd().replaceAll(/^/gm, ' ').replaceAll(/^ $/gm, ' .')
    : ` ${resolve(signedBy)}`
  const lines = [
    `Types: deb${sources ? ' deb-src' : ''}`,
    `URIs: ${uri}`,
    `Suites: ${suites.join(' ')}`,
    ...(components.length > 0 ? [`Components: ${components.join(' ')}`] : []),
    signedBy.includes('\n') ? `Signed-By:\n${key}` : `Signed-By:${key}`,
  ]
  return `${lines.join('\n')}\n`
}

/** As the packages apt-file, appstream and command-not-found configure them. */
const furtherTargets = [
  ['Contents-deb', '$(COMPONENT)/Contents-$(ARCHITECTURE)', 'Contents-$(ARCHITECTURE)'],
  [
    'DEP-11',
    '$(COMPONENT)/dep11/Components-$(NATIVE_ARCHITECTURE).yml',
    'dep11/Components-$(ARCHITECTURE).yml',
  ],
  ['DEP-11-icons', '$(COMPONENT)/dep11/icons-48x48.tar', 'dep11/icons-48x48.tar'],
  ['CNF', '$(COMPONENT)/cnf/Commands-$(NATIVE_ARCHITECTURE)', 'cnf/Commands-$(NATIVE_ARCHITECTURE)'],
].map(
  ([name, key, flat]) =>
    `Acquire::IndexTargets::deb::${name} { MetaKey "${key}"; flatMetaKey "${flat}"; ShortDescription "${name}"; Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) ${name}"; };`,
)

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServedRepository } from '../session/served-upstream.ts'

/** What is mirrored of the upstream. */
export interface BenchedSuite {
  readonly suites: readonly [string]
  readonly components: readonly [string]
  readonly architectures: readonly [string]
}

/** A keyring of one armored key, as the peers want it. */
export function makeKeyring(key: string, folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const keyring = join(folder, 'upstream.gpg')
  execFileSync('gpg', ['--homedir', folder, '--batch', '--yes', '--dearmor', '--output', keyring, key])
  return keyring
}

/** aptly with everything of its own in one folder. Signs with a key that is made for it. */
export class Aptly {
  readonly #configuration: string
  readonly #home: string
  readonly #keyring: string | null
  readonly #key: string

  constructor(folder: string, keyring: string | null, signingKey: string, { architectures }: BenchedSuite) {
    this.#home = join(folder, 'gnupg')
    mkdirSync(this.#home, { recursive: true, mode: 0o700 })
    this.#keyring = keyring
    this.#configuration = join(folder, 'aptly.conf')
    const settings = {
      rootDir: join(folder, 'root'),
      downloadConcurrency: 16,
      architectures,
      gpgProvider: 'gpg',
      skipLegacyPool: true,
    }
    writeFileSync(this.#configuration, JSON.stringify(settings))
    const gpg = (...words: readonly string[]) =>
      execFileSync('gpg', ['--homedir', this.#home, '--batch', ...words], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
    gpg('--import', signingKey)
    this.#key = /^fpr:+([0-9A-F]+):/m.exec(gpg('--list-secret-keys', '--with-colons').toString())?.[1] ?? ''
  }

  command(...words: readonly string[]): readonly string[] {
    return ['env', `GNUPGHOME=${this.#home}`, 'aptly', `-config=${this.#configuration}`, ...words]
  }

  createMirror({ url }: ServedRepository, { suites, components }: BenchedSuite): readonly string[] {
    return this.command('mirror', 'create', ...this.#checking(), 'upstream', url, ...suites, ...components)
  }

  updateMirror(): readonly string[] {
    return this.command('mirror', 'update', ...this.#checking(), 'upstream')
  }

  publish(snapshot: string, { suites }: BenchedSuite): readonly string[] {
    return this.command('publish', 'snapshot', ...this.#signing(), `-distribution=${suites[0]}`, snapshot)
  }

  switchTo(snapshot: string, { suites }: BenchedSuite): readonly string[] {
    return this.command('publish', 'switch', ...this.#signing(), suites[0], snapshot)
  }

  #checking(): readonly string[] {
    return this.#keyring === null ? ['-ignore-signatures'] : [`-keyring=${this.#keyring}`]
  }

  #signing(): readonly string[] {
    return ['-skip-contents', '-batch', `-gpg-key=${this.#key}`]
  }
}

/** apt-mirror: wget and a list; it checks no signature. It looks for what it fetched under the host's name without a port. */
export function aptMirror(
  { portlessUrl }: ServedRepository,
  folder: string,
  suite: BenchedSuite,
): readonly string[] {
  if (portlessUrl === null) throw new Error('apt-mirror reads from port 80 alone')
  for (const name of ['mirror', 'skel', 'var']) mkdirSync(join(folder, name), { recursive: true })
  const list = join(folder, 'mirror.list')
  const words = [suite.suites[0], ...suite.components].join(' ')
  const settings = [
    ...[
      ['base_path', folder],
      ['defaultarch', suite.architectures[0]],
      ['nthreads', '20'],
      ['_tilde', '0'],
      ['run_postmirror', '0'],
    ].map(([name, value]) => `set ${name} ${value}`),
    `deb ${portlessUrl.replace(/\/$/, '')} ${words}`,
  ]
  writeFileSync(list, `${settings.join('\n')}\n`)
  return ['apt-mirror', list]
}

export function debmirror(
  { url }: ServedRepository,
  folder: string,
  keyring: string | null,
  { suites, components, architectures }: BenchedSuite,
): readonly string[] {
  const { host, pathname } = new URL(url)
  const check = keyring === null ? ['--no-check-gpg'] : [`--keyring=${keyring}`]
  return [
    'debmirror',
    folder,
    '--method=http',
    `--host=${host}`,
    `--root=${pathname.replace(/^\/|\/$/g, '')}`,
    `--dist=${suites[0]}`,
    `--section=${components[0]}`,
    `--arch=${architectures[0]}`,
    '--nosource',
    '--rsync-extra=none',
    '--diff=none',
    ...check,
  ]
}

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as openpgp from 'openpgp'
import { runCommand } from './command.ts'

export interface Bootstrapped {
  /** File names of all packages that were downloaded, those that the system is unpacked from included. */
  readonly downloaded: readonly string[]
  /** Of the new system, below `/usr/share`. */
  readonly unpacked: readonly string[]
}

/**
 * Has debootstrap make the first stage of a minimal system (`--variant=minbase`), signatures checked: it picks what is required, downloads
 * that and its dependencies, checks it, and unpacks it. As root, in a folder where devices may be made.
 * @param key path of the armored public key
 */
export async function bootstrap({
  uri,
  suite,
  key,
}: {
  readonly uri: string
  readonly suite: string
  readonly key: string
}): Promise<Bootstrapped> {
  const folder = await mkdtemp(join(tmpdir(), 'chantal-debootstrap-'))
  try {
    const keyring = join(folder, 'key.gpg')
    const target = join(folder, 'root')
    await writeFile(
      keyring,
      (await openpgp.readKey({ armoredKey: await readFile(key, 'utf8') })).toPublic().write(),
    )
    await runCommand('debootstrap', [
      ...['--variant=minbase', '--arch=amd64', '--foreign'],
      ...['--force-check-gpg', `--keyring=${keyring}`],
      ...[suite, target, uri],
      // A suite that it has not heard of is made as others are.
      '/usr/share/debootstrap/scripts/sid',
    ])
    return {
      downloaded: (await readdir(join(target, 'var/cache/apt/archives')))
        .filter((name) => name.endsWith('.deb'))
        .sort(),
      unpacked: (await readdir(join(target, 'usr/share'), { recursive: true })).sort(),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

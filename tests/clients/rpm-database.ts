import { linesOf, runCommand } from './command.ts'

/** What the rpm database of an installation root holds: `name-version-release.architecture`, sorted, without imported keys. */
export async function rpmInstalledIn(root: string): Promise<readonly string[]> {
  const { stdout } = await runCommand('rpm', ['--root', root, '--dbpath', '/var/lib/rpm', '-qa'])
  return linesOf(stdout)
    .filter((line) => !line.startsWith('gpg-pubkey-'))
    .sort()
}

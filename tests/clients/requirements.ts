import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { systemPath } from './command.ts'

/** A program that a test may need. `scripts/install-clients.sh` installs them all. */
export type Tool =
  | 'apt-file'
  | 'apt-get'
  | 'createrepo_c'
  | 'debootstrap'
  | 'dnf'
  | 'dpkg'
  | 'dpkg-source'
  | 'gpg'
  | 'nginx'
  | 'rpm'
  | 'setpriv'
  | 'xz'
  | 'zstd'
  | 'zypper'

/**
 * A `describe` whose tests need real programs. Where one is missing they are skipped, and the title names it; with
 * `CHANTAL_TEST_REQUIRE_ALL=1`, as in CI, they fail instead, so that nothing is skipped without being seen.
 */
export function describeWith(tools: readonly Tool[], title: string, body: () => void): void {
  const missing = tools.filter((tool) => findTool(tool) === null)
  if (missing.length === 0) return void describe(title, body)
  const reason = `${missing.join(', ')} not installed; see scripts/install-clients.sh`
  if (process.env['CHANTAL_TEST_REQUIRE_ALL'] !== '1')
    return void describe.skip(`${title} (skipped: ${reason})`, body)
  describe(title, () => {
    it('has the programs it needs', () => {
      throw new Error(reason)
    })
  })
}

/** Full path, or `null`. */
export function findTool(tool: Tool): string | null {
  const folders = systemPath.split(':').filter((folder) => folder.startsWith('/'))
  if (tool === 'zypper') folders.push(join(clientCache, 'zypper', 'usr', 'bin'))
  return folders.map((folder) => join(folder, tool)).find(isExecutable) ?? null
}

/** Where `scripts/install-clients.sh` unpacks what cannot be installed beside the rest. */
const clientCache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'chantal-clients')

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

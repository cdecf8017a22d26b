import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { runCommand } from '../clients/command.ts'

/** What an RPM repository is made of. */
export interface RpmUpstream {
  /** Paths of package files. */
  readonly packages: readonly string[]
  readonly comps?: string
  readonly modules?: string
  readonly updateinfo?: string
}

/** Makes a folder an RPM repository, in place of what it was. Needs createrepo_c. */
export async function makeRpmUpstream(folder: string, upstream: RpmUpstream): Promise<void> {
  const { packages, ...documents } = upstream
  await rm(folder, { recursive: true, force: true })
  await mkdir(join(folder, 'Packages'), { recursive: true })
  for (const file of packages) await cp(file, join(folder, 'Packages', basename(file)))
  await runCommand('createrepo_c', ['--quiet', folder])
  for (const [name, type, text] of [
    ['comps.xml', 'group', documents.comps],
    ['modules.yaml', 'modules', documents.modules],
    ['updateinfo.xml', 'updateinfo', documents.updateinfo],
  ] as const) {
    if (text === undefined) continue
    const file = join(folder, name)
    await writeFile(file, text)
    await runCommand('modifyrepo_c', ['--mdtype', type, file, join(folder, 'repodata')])
    await rm(file)
  }
}

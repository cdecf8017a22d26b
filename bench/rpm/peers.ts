import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServedRepository } from '../session/served-upstream.ts'

/** `dnf reposync` with metadata, removing what upstream removed; with a key it checks the signature of `repomd.xml`. */
export function reposync({ url }: ServedRepository, folder: string, key: string | null): readonly string[] {
  for (const name of ['root', 'repositories', 'tree']) mkdirSync(join(folder, name), { recursive: true })
  const configuration = join(folder, 'dnf.conf')
  const folders = ['cache', 'log', 'persist', 'vars'].map((name) => `${name}dir=${folder}/${name}\n`)
  writeFileSync(configuration, `[main]\nreposdir=${folder}/repositories\n${folders.join('')}`)
  const check = key === null ? 'repo_gpgcheck=0\n' : `repo_gpgcheck=1\ngpgkey=file://${key}\n`
  writeFileSync(
    join(folder, 'repositories', 'upstream.repo'),
    `[upstream]\nname=upstream\nbaseurl=${url}\ngpgcheck=0\nmetadata_expire=0\n${check}`,
  )
  const dnf = ['dnf', '--quiet', '--assumeyes', '--config', configuration]
  // Debian's plug-ins look at the host: one adds a repository of its own.
  const plugins = ['--disableplugin', '*', '--enableplugin', 'reposync']
  const host = ['--installroot', join(folder, 'root'), '--releasever', '9', '--forcearch', 'x86_64']
  const work = ['--repoid', 'upstream', '--download-metadata', '--norepopath', '--delete']
  return [...dnf, ...plugins, ...host, 'reposync', '--download-path', join(folder, 'tree'), ...work]
}

/** Writes metadata of a folder of packages elsewhere. */
export function createRepository(packages: string, folder: string): readonly string[] {
  mkdirSync(folder, { recursive: true })
  return ['createrepo_c', '--quiet', '--outputdir', folder, packages]
}

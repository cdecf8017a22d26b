import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type AptTree, readAptTree } from '../../../tests/support/apt-tree.ts'
import {
  type AptFiles,
  type AptUpstream,
  aptFiles,
  aptKeyFile,
  aptPrivateKeyFile,
  changeApt,
  startAptUpstream,
} from '../../../tests/support/apt-upstream.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'
import { findPackageFiles } from '../../app/package/find-package-files.ts'
import { uploadPackages } from '../../app/package/upload-packages.ts'

export const latest = 'views/all/latest'
const signal = new AbortController().signal

/** As another archive would have the suite: not our words, and greeter in the newer state. */
const moreFiles = (): Promise<AptFiles> =>
  changeApt(aptFiles('v2'), {
    release: (text) =>
      text
        .replace(/^Origin: .*/m, 'Origin: Another')
        .replace(/^Description: .*/m, 'Description: Other words\nNotAutomatic: yes'),
  })

type Section = Readonly<Record<string, unknown>>

/** What a site of this test may have; `base` and `flat` are of one upstream, `more` is of another. */
export function repositoriesOf(
  base: AptUpstream,
  more: AptUpstream,
): readonly (Section & { readonly id: string })[] {
  const verify = { keys: [aptKeyFile('archive')] }
  const synced = (upstream: AptUpstream) => ({ type: 'apt', feed: upstream.url.href, verify })
  return [
    {
      ...{ id: 'base', ...synced(base), mode: 'mirror' },
      apt: {
        suites: ['stable', 'stable-updates'],
        components: ['main'],
        architectures: ['amd64'],
        sources: true,
        check_valid_until: false,
      },
    },
    {
      ...{ id: 'more', ...synced(more), mode: 'filtered' },
      apt: { suites: ['stable'], architectures: ['amd64', 'i386'] },
      filters: { patterns: { exclude: ['^apt$'] } },
    },
    { id: 'flat', ...synced(base), feed: `${base.url.href}flat/`, mode: 'filtered', apt: { suites: ['./'] } },
    { id: 'tools', type: 'apt', mode: 'hosted', apt: { suites: ['stable'], components: ['tools'] } },
  ]
}

interface World extends AsyncDisposable {
  readonly site: Site
  readonly base: AptUpstream
  readonly more: AptUpstream
}

export const viewOf = (repos: readonly string[]) => ({ views: [{ name: 'all', repos }] })
export const signing = { signing: { key_file: 'key.asc' } }

/** What has an upstream is synced, and nothing published yet. */
export async function openWorld(
  repos: readonly string[] = ['base', 'more', 'flat'],
  views: Section = viewOf(repos),
): Promise<World> {
  const base = await startAptUpstream()
  const more = await startAptUpstream(await moreFiles())
  const repositories = repositoriesOf(base, more).filter(({ id }) => repos.includes(id))
  const site = await openSite({
    repositories,
    sections: { ...signing, ...views },
    files: { 'key.asc': await readFile(aptPrivateKeyFile('other'), 'utf8') },
    now: () => new Date('2026-02-03T00:00:00Z'),
  })
  for (const { id, mode } of repositories) if (mode !== 'hosted') await site.sync(id)
  return {
    site,
    base,
    more,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await base[Symbol.asyncDispose]()
      await more[Symbol.asyncDispose]()
    },
  }
}

export async function upload({ context }: Site, ...names: readonly string[]): Promise<void> {
  const paths = names.map((name) => join('tests/fixtures/deb', name))
  const files = await findPackageFiles(context, { repository: 'tools', paths, recursive: false }, signal)
  await uploadPackages(
    context,
    { repository: 'tools', files, suite: null, component: null, force: false },
    signal,
  )
}

/** As a client sees it. Every file that is named was there, with the bytes that were promised. */
export async function treeOf(site: Site, suite = 'stable', path = latest): Promise<AptTree> {
  const tree = await readAptTree(site.published(path), suite)
  expect(tree.trouble).toEqual([])
  return tree
}

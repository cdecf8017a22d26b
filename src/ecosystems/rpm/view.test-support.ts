import { expect } from 'vitest'
import { readAsClient } from '../../../tests/support/rpm-client.ts'
import { type OddPackage, type OddRecord, rpmFiles } from '../../../tests/support/rpm-files.ts'
import { type RpmTree, readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'
import { startUpstream, type Upstream } from '../../../tests/upstream/upstream.ts'
import { findPackageFiles } from '../../app/package/find-package-files.ts'
import { uploadPackages } from '../../app/package/upload-packages.ts'

export const latest = 'views/el/latest'
const signal = new AbortController().signal

export const oak: OddPackage = { name: 'oak', files: ['/usr/bin/oak', '/usr/share/oak'] }
/** One name, version and file name in both repositories, and not the same bytes. */
export const elmOfBase: OddPackage = { name: 'elm', body: 'elm of base' }
export const elmOfExtra: OddPackage = { name: 'elm', body: 'elm of extra' }
export const ivyOfBase: OddPackage = { name: 'ivy', version: '1.0-1.module' }
export const ivyOfExtra: OddPackage = { name: 'ivy', version: '2.0-1.module' }
export const yew: OddPackage = { name: 'yew', files: ['/usr/bin/yew'] }
/** The filters of `extra` leave it out. */
const pine: OddPackage = { name: 'pine' }

export const entry = (pkg: OddPackage) => `${pkg.name}-0:${pkg.version ?? '1.0-1'}`
export const at = (folder: string, pkg: OddPackage) =>
  `${folder}/Packages/${pkg.name}-${pkg.version ?? '1.0-1'}.noarch.rpm`

export const comps = (body: string): OddRecord => ({
  type: 'group',
  path: 'repodata/comps.xml',
  content: `<?xml version="1.0" encoding="UTF-8"?>\n<comps>${body}</comps>\n`,
})
export const group = (id: string, name: string, ...packages: readonly string[]) =>
  `<group><id>${id}</id><name>${name}</name><packagelist>${packages
    .map((one) => `<packagereq type="mandatory">${one}</packagereq>`)
    .join('')}</packagelist></group>`
const environment = (id: string, ...groups: readonly string[]) =>
  `<environment><id>${id}</id><name>${id}</name><grouplist>${groups
    .map((one) => `<groupid>${one}</groupid>`)
    .join('')}</grouplist></environment>`

const modules = (...documents: readonly string[]): OddRecord => ({
  type: 'modules',
  path: 'repodata/modules.yaml',
  content: documents.join(''),
})
const stream = (name: string, version: string, ...artifacts: readonly string[]) =>
  `---\ndocument: modulemd\nversion: 2\ndata:\n  name: ${name}\n  stream: "${version}"\n  version: 1\n  context: c0ffee\n  arch: noarch\n  artifacts:\n    rpms:\n${artifacts.map((artifact) => `    - ${artifact}\n`).join('')}...\n`
const defaults = (modified: string, version: string) =>
  `---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: climbers\n  modified: ${modified}\n  stream: "${version}"\n...\n`

const advisories = (
  ...all: readonly (readonly [id: string, updated: string, ...names: string[]])[]
): OddRecord => ({
  type: 'updateinfo',
  path: 'repodata/updateinfo.xml',
  content: `<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${all
    .map(
      ([id, updated, ...names]) =>
        `<update type="security"><id>${id}</id><title>of ${updated}</title><updated date="${updated}"/><pkglist><collection>${names
          .map(
            (name) =>
              `<package name="${name}" epoch="0" version="1.0" release="1" arch="noarch"><filename>${name}.rpm</filename></package>`,
          )
          .join('')}</collection></pkglist></update>\n`,
    )
    .join('')}</updates>\n`,
})
export const productId = (content: string): OddRecord => ({
  type: 'productid',
  path: 'repodata/productid',
  content,
})

const ofBase: readonly OddRecord[] = [
  comps(group('trees', 'Trees', 'oak', 'lost') + environment('forest', 'trees')),
  modules(
    stream('climbers', '1', `${entry(ivyOfBase)}.noarch`, 'lost-0:1.0-1.noarch'),
    defaults('202001010000', '1'),
  ),
  advisories(['A', '2026-01-01', 'oak', 'lost'], ['B', '2026-01-02', 'elm'], ['LOST', '2026-01-03', 'lost']),
  productId('of base'),
]
export const ofExtra: readonly OddRecord[] = [
  comps(
    group('trees', 'Other trees', 'yew', 'pine') +
      group('bushes', 'Bushes') +
      environment('forest', 'bushes'),
  ),
  modules(defaults('202101010000', '2'), stream('climbers', '2', `${entry(ivyOfExtra)}.noarch`)),
  advisories(['A', '2026-02-01', 'yew', 'pine'], ['PINE', '2026-02-02', 'pine']),
]

export const filesOfExtra = (
  packages: readonly OddPackage[] = [elmOfExtra, ivyOfExtra, pine, yew],
  records = ofExtra,
) => rpmFiles(packages, { records, documents: ['primary', 'filelists', 'other', 'filelists-ext'] })

interface World extends AsyncDisposable {
  readonly site: Site
  readonly base: Upstream
  readonly extra: Upstream
}

/** `base` is mirrored, `extra` selected from, `tools` ours: all synced, and nothing published yet. */
export async function openWorld(
  terms: { repos?: readonly string[]; records?: readonly OddRecord[] } = {},
): Promise<World> {
  const { repos = ['base', 'extra', 'tools'], records = ofExtra } = terms
  const base = await startUpstream({ files: rpmFiles([oak, elmOfBase, ivyOfBase], { records: ofBase }) })
  const extra = await startUpstream({ files: filesOfExtra(undefined, records) })
  const site = await openSite({
    repositories: [
      { id: 'base', type: 'rpm', feed: base.url },
      {
        ...{ id: 'extra', type: 'rpm', feed: extra.url, mode: 'filtered' },
        filters: { patterns: { exclude: ['^pine$'] } },
      },
      { id: 'tools', type: 'rpm', mode: 'hosted' },
    ],
    sections: { views: [{ name: 'el', repos }] },
  })
  for (const id of ['base', 'extra']) await site.sync(id)
  const paths = ['tests/fixtures/rpm/unsigned/Packages']
  const files = await findPackageFiles(site.context, { repository: 'tools', paths, recursive: false }, signal)
  const upload = { repository: 'tools', files, suite: null, component: null, force: false }
  await uploadPackages(site.context, upload, signal)
  return {
    site,
    base,
    extra,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await base[Symbol.asyncDispose]()
      await extra[Symbol.asyncDispose]()
    },
  }
}

export const everything = [
  ...[elmOfBase, ivyOfBase, oak].map((pkg) => at('base', pkg)),
  ...[elmOfExtra, ivyOfExtra, yew].map((pkg) => at('extra', pkg)),
  ...['common', 'hello'].map((name) => `tools/Packages/d/demo-${name}-1.0-1.noarch.rpm`),
]

/** In the order of primary.xml. Every file was there, with the bytes that were promised. */
export async function packagesAt(site: Site, path: string): Promise<readonly string[]> {
  const { trouble, packages } = await readAsClient(site.published(path))
  expect(trouble).toEqual([])
  return packages
}

export const treeOf = (site: Site, path = latest): Promise<RpmTree> => readRpmTree(site.published(path))

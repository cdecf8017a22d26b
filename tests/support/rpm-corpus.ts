import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorCode } from '../../src/core/errors.ts'

/** Real repositories, where a checkout lies beside them; see {@link whyNoRpmCorpus}. */
export const rpmCorpus = '../shared/corpus/rpm'

/** `null` where the corpus is there. */
export const whyNoRpmCorpus = existsSync(rpmCorpus) ? null : `${rpmCorpus} is not there`

/** One repository of the corpus and what is to become of it. */
export interface RpmCase {
  /** Its folder in the corpus. */
  readonly path: string
  /** `synced`, or how both modes refuse it. */
  readonly outcome: 'synced' | ErrorCode
  /** Where a verbatim mirror ends otherwise. */
  readonly mirror?: ErrorCode
  /** Packages it lists. */
  readonly packages: number
  /** Its public key, in its folder, and what becomes of a sync that verifies with it. */
  readonly key?: { readonly file: string; readonly outcome: 'synced' | ErrorCode; readonly says?: string }
  /** Codes of the warnings that it deserves. */
  readonly warnings?: readonly string[]
  /** Files under `repodata` that no metadata lists, and that are not what their names say. */
  readonly unlisted?: readonly string[]
}

const repomdKey = 'repodata/repomd.xml.key'
const weakDigest = { file: repomdKey, outcome: 'SIGNATURE_INVALID', says: 'digest is too weak' } as const
/** Files of words in place of signature and key: nothing is there as far as clients are concerned. */
const noOpenPgp = ['repodata/repomd.xml.asc', repomdKey]
const keyOfNothing = {
  file: repomdKey,
  outcome: 'CONFIG_INVALID',
  says: 'holds no OpenPGP public key',
} as const
/** Of these the metadata is there, and not a single package. */
const bare = { outcome: 'SYNC_INCOMPLETE' } as const

export const rpmCases: readonly RpmCase[] = [
  { path: 'content-sources/fixtures/frog', outcome: 'synced', packages: 1 },
  { path: 'content-sources/fixtures/giraffe', outcome: 'synced', packages: 1 },
  { path: 'createrepo-c-testdata/repo_00', outcome: 'synced', packages: 0 },
  { path: 'createrepo-c-testdata/repo_01', outcome: 'CHECKSUM_MISMATCH', packages: 1 },
  { path: 'createrepo-c-testdata/repo_02', ...bare, packages: 2 },
  { path: 'createrepo-c-testdata/repo_03', outcome: 'synced', packages: 0 },
  { path: 'createrepo-c-testdata/repo_04', ...bare, packages: 2 },
  { path: 'createrepo-c-testdata/repo_koji_01', ...bare, packages: 2 },
  { path: 'createrepo-c-testdata/repo_koji_02', ...bare, packages: 1, warnings: ['NAME_DIFFERS'] },
  { path: 'createrepo-c-testdata/repo_with_additional_metadata', ...bare, packages: 1 },
  {
    path: 'createrepo-c-testdata/repo_with_duplicate_packages',
    ...bare,
    packages: 2,
    warnings: ['DUPLICATE_PACKAGE'],
  },
  { path: 'derived-modular', outcome: 'synced', packages: 25 },
  { path: 'derived-nonutf8', outcome: 'synced', packages: 4 },
  { path: 'derived-productid', outcome: 'synced', packages: 2 },
  { path: 'derived-srpm', outcome: 'synced', packages: 3 },
  { path: 'derived-xmlbase/repo', outcome: 'synced', mirror: 'UPSTREAM_INVALID', packages: 4 },
  { path: 'derived-zoo-sha1-simple', outcome: 'synced', packages: 35, warnings: ['WEAK_CHECKSUM'] },
  { path: 'derived-zoo-sha512-xz', outcome: 'synced', packages: 35 },
  { path: 'derived-zoo-zck', outcome: 'synced', packages: 35 },
  {
    path: 'empty-repo-signed',
    outcome: 'synced',
    packages: 0,
    key: { file: repomdKey, outcome: 'SIGNATURE_INVALID', says: 'the key has expired' },
  },
  { path: 'eupnea', outcome: 'synced', packages: 2, key: { file: 'public_key.gpg', outcome: 'synced' } },
  {
    path: 'librepo-testdata/static/01',
    outcome: 'synced',
    packages: 1,
    warnings: ['WEAK_CHECKSUM'],
    key: { file: repomdKey, outcome: 'synced' },
    unlisted: ['repodata/repomd.xml.asc.bad'],
  },
  { path: 'librepo-testdata/static/02', ...bare, packages: 1 },
  { path: 'librepo-testdata/static/03', outcome: 'synced', packages: 1 },
  { path: 'librepo-testdata/static/04', outcome: 'synced', packages: 1 },
  {
    path: 'librepo-testdata/test_data/repo_yum_01',
    ...bare,
    packages: 1,
    warnings: ['WEAK_CHECKSUM'],
    key: { file: repomdKey, outcome: 'SYNC_INCOMPLETE' },
  },
  { path: 'librepo-testdata/test_data/repo_yum_02', ...bare, packages: 1 },
  { path: 'librepo-testdata/test_data/repo_yum_03', ...bare, packages: 21 },
  {
    path: 'rmt-dummy-repo/dummy_dedupped_product/product',
    outcome: 'synced',
    packages: 4,
    key: keyOfNothing,
    unlisted: noOpenPgp,
  },
  {
    path: 'rmt-dummy-repo/dummy_product/product',
    outcome: 'synced',
    packages: 4,
    key: keyOfNothing,
    unlisted: noOpenPgp,
  },
  { path: 'rmt-dummy-repo/dummy_repo', outcome: 'CHECKSUM_MISMATCH', packages: 4 },
  { path: 'rmt-dummy-repo/dummy_repo_with_src', outcome: 'synced', packages: 4 },
  { path: 'ruapm-wslu', outcome: 'synced', packages: 12, key: weakDigest },
  { path: 'ruapm-wslu-t0', outcome: 'synced', packages: 6 },
  { path: 'ruapm-wslu-t1', outcome: 'synced', packages: 10, key: weakDigest },
  {
    path: 'smfc-rpm',
    outcome: 'synced',
    packages: 1,
    key: { file: 'smfc-repo.gpg', outcome: 'synced' },
  },
]

/** Folders of the corpus that hold no repository, or more than repositories, and where that rest is tested. */
export const otherRpmMaterial: Readonly<Record<string, string>> = {
  'libmodulemd-testdata': 'module documents without a repository: formats/modulemd.test.ts reads them all',
  'content-sources/gpg': 'a signed repomd.xml whose metadata is not there',
  'content-sources/external_repos': 'a repomd.xml, comps and primary of different repositories',
  'rmt-dummy-repo/gpg': 'signatures of a document that is no repository',
  'createrepo-c-testdata/repodata_snippets': 'pieces of documents, without a root',
}

/** Where the corpus has a `repodata/repomd.xml`, in order. */
export function foldersWithRepodata(): readonly string[] {
  return readdirSync(rpmCorpus, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(join('repodata', 'repomd.xml')))
    .map((name) => name.slice(0, -'/repodata/repomd.xml'.length))
    .sort()
}

/** The folder that `derived-xmlbase` names as an address, and its port. */
export const xmlBase = { folder: join(rpmCorpus, 'derived-xmlbase'), port: 8999 }

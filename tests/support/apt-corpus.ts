import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorCode } from '../../src/core/errors.ts'

/** Real repositories, where a checkout lies beside them; see {@link whyNoAptCorpus}. */
export const aptCorpus = '../shared/corpus/apt'

/** `null` where the corpus is there. */
export const whyNoAptCorpus = existsSync(aptCorpus) ? null : `${aptCorpus} is not there`

/** One suite of a repository of the corpus, and what is to become of it. */
export interface AptCase {
  /** The repository's folder in the corpus. */
  readonly path: string
  /** As `apt.suites` names it. */
  readonly suite: string
  /** Its public key, relative to the corpus. */
  readonly key?: string
  /** What is configured besides the suite, and sources. */
  readonly options?: {
    readonly components?: readonly string[]
    readonly architectures?: readonly string[]
    readonly check_valid_until?: boolean
  }
  /** Of a sync that verifies where there is a key. */
  readonly outcome: 'synced' | ErrorCode
  /** Where one that verifies nothing ends otherwise. */
  readonly unverified?: 'synced' | ErrorCode
  /** By the clock of the program, where its result depends on that. */
  readonly at?: Date
  /** Packages it lists, source packages as well. */
  readonly packages: number
  /** Of these the ones that are there, where some are not: so many are synced with `on_missing: skip`. */
  readonly there?: number
  /** Codes of the warnings that it deserves. */
  readonly warnings?: readonly string[]
}

const pulp = 'pulp-deb-fixtures'
const pulpKey = '../keys/GPG-KEY-fixture-signing'
const noneThere = { outcome: 'SYNC_INCOMPLETE', there: 0 } as const

export const aptCases: readonly AptCase[] = [
  // Its SHA-256 is none.
  { path: 'aptly-fixtures/test_release', suite: 'hardy', outcome: 'UPSTREAM_INVALID', packages: 0 },
  { path: 'aptly-fixtures/test_release2', suite: 'hardy', outcome: 'CHECKSUM_MISSING', packages: 0 },
  {
    path: 'debian-bookworm-backports-meta',
    suite: 'bookworm-backports',
    key: 'debian-bookworm-backports-meta/debian-archive-keyring.gpg',
    options: { architectures: ['amd64'], check_valid_until: false },
    ...noneThere,
    packages: 3621,
  },
  {
    path: 'debian-bookworm-security-meta',
    suite: 'bookworm-security',
    key: 'debian-bookworm-security-meta/debian-archive-keyring.gpg',
    options: { architectures: ['amd64'], check_valid_until: false },
    ...noneThere,
    packages: 3776,
  },
  {
    path: 'debian-bookworm-security-meta',
    suite: 'bookworm-security',
    key: 'debian-bookworm-security-meta/debian-archive-keyring.gpg',
    at: new Date('2027-01-01T00:00:00Z'),
    outcome: 'UPSTREAM_STALE',
    packages: 0,
  },
  {
    path: 'debian-bookworm-updates-small',
    suite: 'bookworm-updates',
    key: 'debian-bookworm-updates-small/debian-archive-keyring.gpg',
    options: { components: ['main'], architectures: ['amd64', 'i386'], check_valid_until: false },
    outcome: 'SYNC_INCOMPLETE',
    packages: 83,
    there: 23,
  },
  { path: `${pulp}/debian`, suite: 'ginnungagap', key: pulpKey, outcome: 'synced', packages: 0 },
  { path: `${pulp}/debian`, suite: 'nosuite', key: pulpKey, outcome: 'synced', packages: 3 },
  { path: `${pulp}/debian`, suite: 'ragnarok', key: pulpKey, outcome: 'synced', packages: 7 },
  {
    path: `${pulp}/debian-complex-dists`,
    suite: 'ragnarok/updates',
    key: pulpKey,
    outcome: 'synced',
    packages: 4,
  },
  {
    path: `${pulp}/debian-complex-dists`,
    suite: 'ragnarok-backports',
    key: pulpKey,
    outcome: 'synced',
    packages: 4,
  },
  { path: `${pulp}/debian-flat`, suite: './', outcome: 'synced', packages: 3 },
  { path: `${pulp}/debian-flat`, suite: 'nest/fjalar/', outcome: 'synced', packages: 3 },
  { path: `${pulp}/debian-invalid`, suite: 'ginnungagap', key: pulpKey, outcome: 'synced', packages: 0 },
  {
    path: `${pulp}/debian-invalid`,
    suite: 'nosuite',
    key: pulpKey,
    outcome: 'SIGNATURE_INVALID',
    unverified: 'synced',
    packages: 3,
  },
  // Of one component all indexes are listed, and none is there.
  {
    path: `${pulp}/debian-invalid`,
    suite: 'ragnarok',
    key: pulpKey,
    outcome: 'UPSTREAM_INVALID',
    packages: 0,
  },
  {
    path: `${pulp}/debian-invalid`,
    suite: 'ragnarok',
    key: pulpKey,
    options: { components: ['asgard'] },
    outcome: 'synced',
    packages: 5,
  },
  { path: `${pulp}/debian-metadata-only`, suite: 'ragnarok', key: pulpKey, ...noneThere, packages: 7 },
  {
    path: `${pulp}/debian-metadata-update`,
    suite: 'ginnungagap',
    key: pulpKey,
    outcome: 'synced',
    packages: 0,
  },
  { path: `${pulp}/debian-metadata-update`, suite: 'nosuite', key: pulpKey, outcome: 'synced', packages: 3 },
  { path: `${pulp}/debian-metadata-update`, suite: 'ragnarok', key: pulpKey, outcome: 'synced', packages: 7 },
  {
    path: `${pulp}/debian-missing-architecture`,
    suite: 'ragnarok',
    key: pulpKey,
    outcome: 'UPSTREAM_INVALID',
    packages: 0,
  },
  {
    path: `${pulp}/debian-missing-architecture`,
    suite: 'ragnarok',
    key: pulpKey,
    options: { architectures: ['ppc64'] },
    outcome: 'synced',
    packages: 4,
  },
  {
    path: `${pulp}/debian-mixed`,
    suite: 'muspelheim',
    key: pulpKey,
    outcome: 'SIGNATURE_INVALID',
    unverified: 'synced',
    packages: 6,
  },
  { path: `${pulp}/debian-update`, suite: 'ginnungagap', key: pulpKey, outcome: 'synced', packages: 0 },
  { path: `${pulp}/debian-update`, suite: 'nosuite', key: pulpKey, outcome: 'synced', packages: 3 },
  { path: `${pulp}/debian-update`, suite: 'ragnarok', key: pulpKey, outcome: 'synced', packages: 7 },
  { path: `${pulp}/debian-variant`, suite: 'muspelheim', key: pulpKey, outcome: 'synced', packages: 4 },
  { path: 'rxiv-maker', suite: 'stable', key: 'rxiv-maker/pubkey.gpg', outcome: 'synced', packages: 1 },
  { path: 't2-ubuntu', suite: './', key: 't2-ubuntu/KEY.gpg', outcome: 'synced', packages: 27 },
  { path: 't2-ubuntu-t0', suite: './', key: 't2-ubuntu-t0/KEY.gpg', outcome: 'synced', packages: 16 },
  { path: 't2-ubuntu-t1', suite: './', key: 't2-ubuntu-t1/KEY.gpg', outcome: 'synced', packages: 23 },
]

/** Folders of the corpus that hold no repository, or more than repositories. */
export const otherAptMaterial: Readonly<Record<string, string>> = {
  'aptly-fixtures/changes': 'packages to upload, and lists of changes',
  'aptly-fixtures/deb-testdata': 'packages to upload, and lists of changes',
  'aptly-fixtures/files': 'keys, packages and source packages without a repository',
  'aptly-fixtures/udebs': 'packages without a repository',
  'pulp-deb-fixtures/packages': 'packages without a repository',
}

/** Where the corpus has the Release file of a suite, in order: `repository suite`. */
export function suitesOfCorpus(): readonly string[] {
  return readdirSync(aptCorpus, { recursive: true, encoding: 'utf8' })
    .filter(
      (name) => /(^|\/)(InRelease|Release)$/.test(name) && !/\/(binary-[^/]*|source)\/Release$/.test(name),
    )
    .map((name) => name.slice(0, name.lastIndexOf('/')))
    .filter((folder, index, folders) => folders.indexOf(folder) === index)
    .map(suiteOf)
    .sort()
}

function suiteOf(folder: string): string {
  const [path = '', suite] = folder.split('/dists/')
  if (suite !== undefined) return `${path} ${suite}`
  const top = aptCases.find((one) => one.suite.endsWith('/') && join(one.path, one.suite, '.') === folder)
  return `${top?.path ?? folder} ${top?.suite ?? './'}`
}

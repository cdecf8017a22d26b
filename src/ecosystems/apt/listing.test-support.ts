import { createHash } from 'node:crypto'
import { parseSha256 } from '../../core/digest.ts'
import type { PackageKey, RepositoryId } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import type { FetchedIndex } from './fetch-indexes.ts'
import { aptOptions } from './options.ts'
import { PackageListing } from './package-listing.ts'
import { smallLimits } from './publishing.test-support.ts'
import { placeOfSuite } from './suites.ts'

export interface GivenIndex {
  readonly bytes: Uint8Array
  readonly component?: string
  readonly architecture?: string
  readonly isUdeb?: boolean
}

export interface ListingTerms {
  readonly options?: object
  readonly unchanged?: ReadonlyMap<string, PackageKey>
}

/** The listing of a suite's indexes, as a sync reads it, and what it has warned of. */
export function openListing(indexes: readonly GivenIndex[], { options, unchanged }: ListingTerms = {}) {
  const warnings: string[] = []
  const fail = () => Promise.reject(new Error('nothing is fetched'))
  const listing = new PackageListing(
    {
      repository: 'apt' as RepositoryId,
      options: aptOptions.parse({ suites: ['stable'], ...options }),
      mode: 'filtered',
      keepsRecords: true,
      filters: null,
      checkpoint: null,
      newestSeen: null,
      held: async () => [],
      unchanged: async () => unchanged ?? new Map(),
      metadata: { fetch: fail, fetchOptional: fail },
      verifier: null,
      limits: smallLimits,
      now: new Date(0),
      reporter: {
        report: (event) => {
          if (event.type === 'warning') warnings.push(`${event.code}: ${event.message}`)
        },
      },
      signal: new AbortController().signal,
    },
    indexes.map(fetchedIndex),
  )
  return { listing, warnings }
}

function fetchedIndex({
  bytes,
  component = 'main',
  architecture = 'amd64',
  isUdeb = false,
}: GivenIndex): FetchedIndex {
  const kind = { kind: 'packages', architecture, isUdeb } as const
  const plainPath = `${component}/${isUdeb ? 'debian-installer/' : ''}binary-${architecture}/Packages`
  const path = parseRelativePath(`dists/stable/${plainPath}`)
  const digest = parseSha256(createHash('sha256').update(bytes).digest('hex'))
  const size = bytes.byteLength
  const listed = {
    ...kind,
    ...{ component, language: null, plainPath, path: plainPath, extension: '' as const },
    file: { path: plainPath, size, checksums: [] },
  } as const
  const stream = async function* () {
    yield bytes
  }
  return {
    place: placeOfSuite('stable'),
    index: { ...kind, plainPath, component: { name: component, folder: component }, variants: [listed] },
    file: { path, digest, size, isUnchanged: false, bytes: async () => bytes, stream },
    plain: null,
  }
}

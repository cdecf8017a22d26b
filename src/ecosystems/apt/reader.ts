import type { Json } from '../../core/brand.ts'
import type { StoredFile, UpstreamFile } from '../../core/model.ts'
import type { UpstreamListing } from '../ecosystem.ts'
import { reportAbsentParts } from './absent-parts.ts'
import type { AptAttributes } from './attributes.ts'
import { type FetchedIndex, fetchPackageIndex } from './fetch-indexes.ts'
import { PackageListing } from './package-listing.ts'
import { listSuiteFiles } from './suite-files.ts'
import { type IndexVariants, type SuiteSelection, selectIndexes } from './suite-indexes.ts'
import {
  type AptReadRequest,
  checkDates,
  fetchSuiteDocuments,
  isAsSeen,
  parseSeen,
  readSuiteRelease,
  type SeenSuite,
  type SuiteDocuments,
  type SuiteRelease,
  seenJson,
} from './suite-release.ts'
import { placeOfSuite } from './suites.ts'

/** What a suite says, and what is taken of it. */
interface ChosenSuite {
  readonly documents: SuiteDocuments
  readonly said: SuiteRelease
  readonly selection: SuiteSelection
}

/** A suite as it was read: with the indexes of its packages. */
export interface ReadSuite extends ChosenSuite {
  readonly indexes: readonly FetchedIndex[]
}

/**
 * Reads the suites of an APT repository: each one's InRelease, or Release and its signature, then the indexes that those vouch for.
 * Unchanged is what has the same documents as last time, and has not expired since.
 * @throws ChantalError `SIGNATURE_MISSING`, `SIGNATURE_INVALID`, `UPSTREAM_INVALID`, `UPSTREAM_STALE`, `CHECKSUM_MISSING`,
 *   `CHECKSUM_MISMATCH`, `PATH_UNSAFE`, and what `metadata.fetch` throws
 */
export async function readAptUpstream(request: AptReadRequest): Promise<UpstreamListing<AptAttributes>> {
  const { options, checkpoint, newestSeen } = request
  const places = options.suites.map(placeOfSuite)
  const seen = readCheckpoint(checkpoint)
  const newest = readNewest(newestSeen)
  const documents = await Promise.all(
    places.map((place) => fetchSuiteDocuments(request, place, seen.get(place.suite) ?? null)),
  )
  if (isUnchanged(request, documents, seen)) return { status: 'unchanged' }

  const said = await Promise.all(documents.map((each) => readSaid(request, each, newest)))
  // In the order of the configuration: which suite an error names does not depend on which is read first.
  const chosen = said.map((suite) => ({
    ...suite,
    selection: selectIndexes(suite.said.place, suite.said.release, options),
  }))
  reportAbsentParts(request, chosen)
  const suites = await Promise.all(chosen.map((each) => fetchIndexes(request, each)))
  const packages = new PackageListing(
    request,
    suites.flatMap(({ indexes }) => indexes),
  )
  return {
    status: 'changed',
    checkpoint: {
      suites: Object.fromEntries(
        suites.map(({ said, documents }) => [said.place.suite, seenJson(documents, said.release)]),
      ),
    },
    newestSeen: newestJson(newest, suites),
    signedBy: suites[0]?.said.signedBy ?? null,
    packages: packages.read(),
    files: () => listFiles(request, suites),
    records: (wanted) => packages.records(wanted),
  }
}

function isUnchanged(
  request: AptReadRequest,
  documents: readonly SuiteDocuments[],
  seen: ReadonlyMap<string, SeenSuite>,
): boolean {
  for (const each of documents) {
    const before = seen.get(each.place.suite)
    if (!before || !isAsSeen(each, before)) return false
    // What stays as it is grows old all the same.
    checkDates(request, each.place, before, null)
  }
  return true
}

async function readSaid(
  request: AptReadRequest,
  documents: SuiteDocuments,
  newest: ReadonlyMap<string, Date>,
): Promise<Omit<ChosenSuite, 'selection'>> {
  const said = await readSuiteRelease(request, documents, newest.get(documents.place.suite) ?? null)
  return { documents, said }
}

async function fetchIndexes(request: AptReadRequest, suite: ChosenSuite): Promise<ReadSuite> {
  const { said, selection } = suite
  const indexes = await Promise.all(
    selection.packageIndexes
      .filter((index) => !isRepeated(index, said, selection))
      .map((index) => fetchPackageIndex(request, said, index)),
  )
  return { ...suite, indexes: indexes.filter((index) => index !== null) }
}

/** Packages for all architectures stand in each architecture's index too, where Release does not say otherwise. */
function isRepeated(
  { kind, architecture, component, isUdeb }: IndexVariants,
  { release }: SuiteRelease,
  { packageIndexes }: SuiteSelection,
): boolean {
  if (architecture !== 'all' || release.hasSeparateAllIndex) return false
  return packageIndexes.some(
    (other) =>
      other.kind === kind &&
      other.component === component &&
      other.isUdeb === isUdeb &&
      other.architecture !== 'all',
  )
}

async function* listFiles(
  request: AptReadRequest,
  suites: readonly ReadSuite[],
): AsyncGenerator<UpstreamFile | StoredFile> {
  const listed = new Set<string>()
  for (const suite of suites) {
    for await (const file of listSuiteFiles(request, suite)) {
      if (listed.has(file.path)) continue
      listed.add(file.path)
      yield file
    }
  }
}

function readCheckpoint(checkpoint: Json): ReadonlyMap<string, SeenSuite> {
  const suites = member(checkpoint, 'suites')
  if (typeof suites !== 'object' || suites === null || Array.isArray(suites)) return new Map()
  const notes = Object.entries(suites).map(([suite, note]) => [suite, parseSeen(note)] as const)
  return new Map(notes.flatMap(([suite, seen]) => (seen ? [[suite, seen]] : [])))
}

/** Dates of suites by their names. What is noted of them has the form of a checkpoint, and less in it. */
function readNewest(newestSeen: Json): ReadonlyMap<string, Date> {
  return new Map(
    [...readCheckpoint(newestSeen)].flatMap(([suite, { date }]) => (date ? [[suite, date]] : [])),
  )
}

/** Suites that are not read any more are in it too: they may be read again. So is what was seen before a suite lost its date. */
function newestJson(before: ReadonlyMap<string, Date>, suites: readonly ReadSuite[]): Json {
  const now = suites.flatMap(({ said: { place, release } }) =>
    release.date ? [[place.suite, release.date] as const] : [],
  )
  const dates = [...new Map([...before, ...now])]
  return { suites: Object.fromEntries(dates.map(([suite, date]) => [suite, { date: date.toISOString() }])) }
}

function member(json: Json, name: string): Json | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
  return Object.entries(json).find(([key]) => key === name)?.[1]
}

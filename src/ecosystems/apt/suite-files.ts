import { decompress } from '../../codec/compression.ts'
import { readWhole } from '../../core/bytes.ts'
import type { StoredFile, UpstreamFile } from '../../core/model.ts'
import type { FetchedFile } from '../ecosystem.ts'
import { byHashPath, expectationOf, fetchListed } from './fetch-indexes.ts'
import { parseInstallerSums } from './formats/installer-sums.ts'
import { parsePdiffIndex } from './formats/pdiff-index.ts'
import type { ReadSuite } from './reader.ts'
import { inOrder, type ListedIndex } from './suite-indexes.ts'
import type { AptReadRequest } from './suite-release.ts'
import { inSuite } from './suites.ts'

/**
 * What a revision holds of a suite besides packages. A mirror has every file of the chosen components and architectures that upstream
 * serves; a generated tree has what it makes its own from: the Release file, and translations, Contents and the like in one form each.
 */
export async function* listSuiteFiles(
  request: AptReadRequest,
  suite: ReadSuite,
): AsyncGenerator<UpstreamFile | StoredFile> {
  for (const { path, digest, size } of suite.said.documents) yield { path, digest, size }
  if (request.mode === 'mirror') yield* listVerbatim(request, suite)
  else yield* listCompanions(request, suite)
}

async function* listVerbatim(
  request: AptReadRequest,
  { said: { place, release }, selection, indexes }: ReadSuite,
): AsyncGenerator<UpstreamFile | StoredFile> {
  const fetched = new Set<string>()
  for (const { file, index } of indexes) {
    const variant = file && index.variants.find((each) => isSameFile(each, file))
    if (!variant) continue
    const path = inSuite(place, variant.file.path)
    fetched.add(path)
    yield { path, digest: file.digest, size: file.size }
  }
  const rest = [...selection.packageIndexes.flatMap(({ variants }) => variants), ...selection.others]
  for (const { file, kind } of rest) {
    const path = inSuite(place, file.path)
    if (fetched.has(path) || kind === 'installer') continue
    const expect = expectationOf(place, file, request.limits)
    // Mirrors of upstream may lack what it offers by checksum.
    const byHash = release.acquireByHash ? byHashPath(place, file) : null
    if (byHash) yield { path, location: byHash, fallback: path, expect, isOptional: true }
    else yield { path, location: path, expect, isOptional: true }
  }
  for (const index of selection.others) {
    if (index.kind === 'diff' && index.plainPath.endsWith('/Index'))
      yield* listDiffs(request, { place, release }, index)
    if (index.kind === 'installer') yield* listImages(request, { place, release }, index)
  }
}

type Suite = Pick<ReadSuite['said'], 'place' | 'release'>

/** Kinds that accompany packages, and are pruned to those that are published. */
const companions: ReadonlySet<ListedIndex['kind']> = new Set([
  'translation',
  'contents',
  'appstream',
  'commands',
])

async function* listCompanions(
  request: AptReadRequest,
  { said: { place, release }, selection }: ReadSuite,
): AsyncGenerator<UpstreamFile | StoredFile> {
  const wanted = selection.others.filter(({ kind }) => companions.has(kind))
  const groups = [...Map.groupBy(wanted, ({ plainPath }) => plainPath).values()]
  const found = await Promise.all(groups.map((variants) => fetchOne(request, { place, release }, variants)))
  for (const file of found) if (file) yield file
  for (const index of selection.others)
    if (index.kind === 'installer') yield* listImages(request, { place, release }, index)
}

/** The first of several compressions that upstream has. */
async function fetchOne(
  request: AptReadRequest,
  { place, release }: Suite,
  [first, ...rest]: readonly ListedIndex[],
): Promise<StoredFile | null> {
  if (!first) return null
  for (const variant of inOrder([first, ...rest])) {
    const file = await fetchListed(request, place, release, variant)
    if (file) return { path: inSuite(place, variant.file.path), digest: file.digest, size: file.size }
  }
  return null
}

/** The patches that an index of differences names. */
async function* listDiffs(
  request: AptReadRequest,
  { place, release }: Suite,
  index: ListedIndex,
): AsyncGenerator<UpstreamFile> {
  const file = await fetchListed(request, place, release, index)
  if (!file) return
  const folder = index.file.path.slice(0, index.file.path.lastIndexOf('/'))
  for (const { path: name, size, checksums } of parsePdiffIndex(
    await textOf(file),
    inSuite(place, index.file.path),
  )) {
    const path = inSuite(place, `${folder}/${name}`)
    const promised = { checksums, maxSize: request.limits.metadata }
    const expect = size === null ? promised : { ...promised, size }
    yield { path, location: path, expect, isOptional: true }
  }
}

/** The list of an installer's files, and the files. */
async function* listImages(
  request: AptReadRequest,
  { place, release }: Suite,
  index: ListedIndex,
): AsyncGenerator<UpstreamFile | StoredFile> {
  const { path: listed } = index.file
  const own = inSuite(place, listed)
  if (!listed.endsWith('/SHA256SUMS')) {
    const expect = expectationOf(place, index.file, request.limits)
    yield { path: own, location: own, expect, isOptional: true }
    return
  }
  const file = await fetchListed(request, place, release, index)
  if (!file) return
  yield { path: own, digest: file.digest, size: file.size }
  const folder = listed.slice(0, listed.lastIndexOf('/'))
  for (const image of parseInstallerSums(await textOf(file), own)) {
    const path = inSuite(place, `${folder}/${image.path}`)
    yield {
      path,
      location: path,
      expect: { checksums: [image.checksum], maxSize: request.limits.package },
    }
  }
}

function isSameFile({ file }: ListedIndex, { digest }: FetchedFile): boolean {
  return file.checksums.some(({ algorithm, hex }) => algorithm === 'sha256' && hex === digest)
}

/** Small lists, which may be compressed. */
async function textOf(file: FetchedFile): Promise<string> {
  const bytes = await readWhole(decompress(file.stream(), { maxSize: listLimit }))
  return Buffer.from(bytes).toString('utf8')
}

const listLimit = 64 * 1024 ** 2

import { decompress } from '../../codec/compression.ts'
import type { Json } from '../../core/brand.ts'
import { readWhole } from '../../core/bytes.ts'
import { ChantalError } from '../../core/errors.ts'
import type { StoredFile, UpstreamFile } from '../../core/model.ts'
import type { SignedBy } from '../../sign/verifier.ts'
import type { FetchedFile, ReadRequest, UpstreamListing } from '../ecosystem.ts'
import type { RpmAttributes } from './attributes.ts'
import { warnOfUnreadableCompanions } from './companion-check.ts'
import { readDeltas } from './formats/deltainfo.ts'
import { moduleStreamsOf, readModules } from './formats/modulemd.ts'
import { holdsOpenPgp } from './formats/openpgp-file.ts'
import { parseRepomd, type Repomd, type RepomdRecord } from './formats/repomd.ts'
import { looksLikeTreeinfo } from './formats/treeinfo.ts'
import { listTree } from './installer-tree.ts'
import {
  deltaTypes,
  findRecord,
  isCopyOfAnother,
  openLimit,
  type PackageDocument,
  packageDocuments,
  recordExpectation,
  recordPath,
  repomdKeyPath,
  repomdPath,
  signaturePath,
  treeinfoPaths,
  wholeLimit,
} from './metadata.ts'
import type { RpmOptions } from './options.ts'
import { PackageListing } from './package-listing.ts'

type Request = ReadRequest<RpmOptions>

/**
 * Reads an RPM repository: repomd.xml and its signature, then every metadata file that says what the repository holds.
 * Unchanged is what has the same repomd.xml and the same treeinfo as last time, and of a mirror the same signature: upstream may sign anew what
 * it has, with another key.
 * @throws ChantalError `SIGNATURE_MISSING`, `SIGNATURE_INVALID`, `UPSTREAM_INVALID`, `CHECKSUM_MISSING`, `PATH_UNSAFE`, and what `metadata.fetch` throws
 */
export async function readRpmUpstream(request: Request): Promise<UpstreamListing<RpmAttributes>> {
  const { metadata, limits, checkpoint, verifier } = request
  const root = { checksums: [], maxSize: limits.rootDocument }
  const repomdFile = await metadata.fetch(repomdPath, root)
  const before = readCheckpoint(checkpoint)
  const isSameRepomd = before?.repomd === repomdFile.digest
  // A tree without a treeinfo seldom gets one while its repomd.xml stays: one request less.
  const treeinfo =
    isSameRepomd && before.treeinfo === null ? null : await fetchTreeinfo(request, before?.treeinfoPath)
  const fetchSignature = () => metadata.fetchOptional(signaturePath, root, { isGuess: !verifier })
  // One that had no signature seldom gets one while its repomd.xml stays, either.
  const isSignatureAsked = isSameRepomd && request.mode === 'mirror' && before.signature !== null
  const signedAnew = isSignatureAsked ? await fetchSignature() : null
  const isSameSignature = !isSignatureAsked || signedAnew?.digest === before.signature
  if (isSameRepomd && isSameSignature && before.treeinfo === (treeinfo?.digest ?? null))
    return { status: 'unchanged' }

  const repomdBytes = await repomdFile.bytes()
  let signature = signedAnew ?? (await fetchSignature())
  let signedBy: SignedBy | null = null
  if (verifier) {
    if (!signature || signature.size === 0) throw signatureMissing()
    signedBy = await (await verifier()).detached(repomdBytes, await signature.bytes())
  } else signature = await onlyOpenPgp(signature)
  const key = await onlyOpenPgp(await metadata.fetchOptional(repomdKeyPath, root, { isGuess: true }))
  const repomd = parseRepomd(repomdBytes)
  refuseForeignRecords(repomd)
  const documents = await fetchPackageDocuments(request, repomd)
  const modules = await fetchRecord(request, findRecord(repomd, 'modules'))
  const moduleStreams = modules
    ? await readModuleStreams(request, modules)
    : new Map<string, readonly string[]>()
  // A verbatim tree has them as they are, and clients judge for themselves.
  if (request.keepsRecords) await warnOfUnreadableCompanions(request, repomd)
  const packages = new PackageListing(request, documents, moduleStreams)

  return {
    status: 'changed',
    checkpoint: {
      repomd: repomdFile.digest,
      signature: signature?.digest ?? null,
      treeinfo: treeinfo?.digest ?? null,
      treeinfo_path: treeinfo?.path ?? null,
    },
    signedBy,
    packages: packages.read(),
    files: () =>
      listFiles(request, {
        repomd,
        fetched: [repomdFile, signature, key, treeinfo, modules?.file ?? null],
        documents,
        treeinfo,
      }),
    records: (wanted) => packages.records(wanted),
  }
}

/** Where nothing is verified by a file, only its form tells it from the page that some servers have for what they lack. */
async function onlyOpenPgp(file: FetchedFile | null): Promise<FetchedFile | null> {
  return file && holdsOpenPgp(await file.bytes()) ? file : null
}

/** A metadata file that was fetched, and the record that promised it. */
export interface FetchedRecord {
  readonly record: RepomdRecord
  readonly file: FetchedFile
}

export type PackageDocuments = ReadonlyMap<PackageDocument, FetchedRecord>

async function fetchRecord(
  { metadata, limits }: Request,
  record: RepomdRecord | null,
): Promise<FetchedRecord | null> {
  if (!record) return null
  return { record, file: await metadata.fetch(recordPath(record), recordExpectation(record, limits)) }
}

async function fetchPackageDocuments(request: Request, repomd: Repomd): Promise<PackageDocuments> {
  const documents = new Map<PackageDocument, FetchedRecord>()
  const fetched = await Promise.all(
    packageDocuments.map(
      async (type) => [type, await fetchRecord(request, findRecord(repomd, type))] as const,
    ),
  )
  for (const [type, document] of fetched) if (document) documents.set(type, document)
  if (!documents.has('primary')) {
    throw new ChantalError('UPSTREAM_INVALID', 'repomd.xml lists no primary metadata', {
      hint: 'Check that the feed is an RPM repository of today: metadata in zchunk or sqlite alone is not enough.',
    })
  }
  for (const type of ['filelists', 'other'] as const) {
    if (documents.has(type)) continue
    request.reporter.report({
      type: 'warning',
      code: 'METADATA_MISSING',
      message: `repomd.xml lists no ${type} metadata`,
    })
  }
  return documents
}

async function readModuleStreams({ limits, reporter }: Request, { record, file }: FetchedRecord) {
  const limit = Math.min(openLimit(record, file.size, limits), wholeLimit)
  const documents = readModules(
    Buffer.from(await readWhole(decompress(file.stream(), { maxSize: limit }))).toString('utf8'),
  )
  for (const document of documents) {
    if (document.kind !== 'broken') continue
    reporter.report({
      type: 'warning',
      code: 'METADATA_MALFORMED',
      message: `modules: document ${document.index + 1} cannot be read: ${document.message}`,
    })
  }
  return moduleStreamsOf(documents)
}

async function fetchTreeinfo(
  { metadata, limits }: Request,
  knownPath: string | null | undefined,
): Promise<FetchedFile | null> {
  const paths = [...treeinfoPaths].sort((a, b) => Number(b === knownPath) - Number(a === knownPath))
  for (const path of paths) {
    const found = await metadata.fetchOptional(
      path,
      { checksums: [], maxSize: limits.rootDocument },
      { isGuess: true },
    )
    if (found && looksLikeTreeinfo(Buffer.from(await found.bytes()).toString('utf8'))) return found
  }
  return null
}

/**
 * What a revision holds besides packages. A mirror has all that upstream's metadata lists; a generated tree has no use for
 * the documents that its own replace, and none for copies and deltas of upstream's whole set.
 */
async function* listFiles(
  request: Request,
  read: {
    readonly repomd: Repomd
    readonly fetched: readonly (FetchedFile | null)[]
    readonly documents: PackageDocuments
    readonly treeinfo: FetchedFile | null
  },
): AsyncGenerator<UpstreamFile | StoredFile> {
  const { mode, limits } = request
  const { repomd, fetched, documents, treeinfo } = read
  const listed = new Set<string>()
  const isNew = (path: string) => !listed.has(path) && listed.add(path)
  const inPool = [...fetched, ...(mode === 'mirror' ? [...documents.values()].map(({ file }) => file) : [])]
  for (const file of inPool) {
    if (file && isNew(file.path)) yield { path: file.path, digest: file.digest, size: file.size }
  }
  for (const record of repomd.records) {
    const isDropped =
      isCopyOfAnother(record.type) || deltaTypes.has(record.type) || isPackageDocument(record.type)
    if (mode !== 'mirror' && isDropped) continue
    const path = recordPath(record)
    if (!isNew(path)) continue
    // A verbatim repomd.xml goes on listing it, and clients refuse a tree that lacks what it lists.
    yield { path, location: path, expect: recordExpectation(record, limits), isRequired: mode === 'mirror' }
  }
  if (mode === 'mirror')
    for await (const file of listDeltas(request, repomd)) if (isNew(file.path)) yield file
  if (treeinfo) for await (const file of listTree(request, treeinfo)) if (isNew(file.path)) yield file
}

async function* listDeltas(request: Request, repomd: Repomd): AsyncGenerator<UpstreamFile> {
  for (const type of deltaTypes) {
    const document = await fetchRecord(request, findRecord(repomd, type))
    if (!document) continue
    const { record, file } = document
    const open = decompress(file.stream(), { maxSize: openLimit(record, file.size, request.limits) })
    for await (const { path, size, checksum } of readDeltas(open)) {
      const promised = { checksums: checksum ? [checksum] : [], maxSize: request.limits.package }
      yield { path, location: path, expect: size === null ? promised : { ...promised, size } }
    }
  }
}

function isPackageDocument(type: string): boolean {
  return (packageDocuments as readonly string[]).includes(type)
}

/** Before anything is fetched: a path or an address that is not upstream's tree ends the reading. */
function refuseForeignRecords(repomd: Repomd): void {
  for (const record of repomd.records) recordPath(record)
}

function readCheckpoint(checkpoint: Json) {
  if (typeof checkpoint !== 'object' || checkpoint === null || Array.isArray(checkpoint)) return null
  const fields = checkpoint as { readonly [key: string]: Json }
  const text = (value: Json | undefined) => (typeof value === 'string' ? value : null)
  return {
    repomd: text(fields['repomd']),
    signature: text(fields['signature']),
    treeinfo: text(fields['treeinfo']),
    treeinfoPath: text(fields['treeinfo_path']),
  }
}

function signatureMissing(): ChantalError {
  return new ChantalError(
    'SIGNATURE_MISSING',
    'upstream has no signature of its metadata: repodata/repomd.xml.asc',
    {
      hint: 'Set `verify.metadata: off` for this repository if its owner signs no metadata.',
      details: { path: signaturePath },
    },
  )
}

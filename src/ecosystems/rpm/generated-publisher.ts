import { createHash } from 'node:crypto'
import {
  type CompressionFormat,
  compress,
  compressedExtension,
  decompress,
  type WrittenFormat,
} from '../../codec/compression.ts'
import { RepeatedRuns } from '../../codec/repeated-runs.ts'
import { compressRuns, type MadeRun } from '../../codec/run-compression.ts'
import { type ByteSource, readWhole } from '../../core/bytes.ts'
import type { Checksum } from '../../core/digest.ts'
import type { StoredFile, StoredPackage } from '../../core/model.ts'
import { joinRelativePath, parseRelativePath } from '../../core/path.ts'
import type { PublicationSink, WrittenFile } from '../../core/publication.ts'
import type { RenewInput } from '../ecosystem.ts'
import { pruneComps } from './formats/comps.ts'
import { pruneModules } from './formats/modulemd-prune.ts'
import { parseRepomd, type Repomd, type RepomdRecord, serializeRepomd } from './formats/repomd.ts'
import { withoutRepodata } from './formats/treeinfo-writer.ts'
import { pruneUpdateinfo } from './formats/updateinfo-prune.ts'
import { generateDocument, hasRecords } from './generated-documents.ts'
import {
  compsTypes,
  deltaTypes,
  findRecord,
  isCopyOfAnother,
  openLimit,
  packageDocuments,
  recordPath,
  repomdKeyPath,
  repomdPath,
  signaturePath,
  treeinfoPaths,
} from './metadata.ts'
import { isMetadata, roleOf } from './mirror-publisher.ts'
import type { RpmPublishInput } from './publisher.ts'

/** Metadata that is read whole: modules and comps of the largest distributions are a tenth of it. */
const wholeLimit = 256 * 1024 ** 2

const keyPath = parseRelativePath('key.asc')

/**
 * A tree generated from native records, which say of every package what upstream said; what accompanies them is pruned to what
 * is published. Signed where there is a key.
 */
export async function publishGenerated(input: RpmPublishInput, sink: PublicationSink): Promise<void> {
  const { repository, options } = input
  const upstream = await readUpstreamRepomd(input)
  const published = new PublishedPackages(upstream)
  const writer = new RecordWriter(input, sink)

  for (const document of packageDocuments) {
    // Clients expect the first three even where they are empty.
    if (document === 'filelists-ext' && upstream && !findRecord(upstream, document)) continue
    if (document === 'filelists-ext' && !(await hasRecords(input, document))) continue
    const runs = generateDocument(input, document, async (pkg) => {
      published.add(pkg)
      await sink.place(pkg.files[0], repository)
    })
    await writer.writeRuns(document, options.compression, runs)
  }
  if (upstream) {
    await writeComps(input, upstream, published, writer)
    await writeModules(input, upstream, published, writer)
    await writeUpdateinfo(input, upstream, published, writer)
    for (const record of upstream.records) if (isCarried(record)) await writer.carry(record)
  }
  const repomd: Repomd = {
    revision: '',
    tags: upstream?.tags ?? { content: [], repo: [], distro: [] },
    contentHash: null,
    records: writer.records,
  }
  await writeRepomd(repomd, input, sink)
  await writeTree(input, sink)
  sink.note(writer.runs.notes())
}

/** The index of an earlier tree with the time of this one, signed anew. */
export async function renewGenerated(input: RenewInput, sink: PublicationSink): Promise<void> {
  const bytes = await input.earlier.read(repomdPath)
  if (!bytes) throw new Error('the tree to renew has no repomd.xml')
  await writeRepomd(parseRepomd(bytes), input, sink)
}

/** Says in the index when the tree was published, and signs it where there is a key. */
async function writeRepomd(
  repomd: Repomd,
  { signer, now }: Pick<RpmPublishInput, 'signer' | 'now'>,
  sink: PublicationSink,
): Promise<void> {
  const timestamp = Math.floor(now.getTime() / 1000)
  const records = repomd.records.map((record) => ({ ...record, timestamp }))
  const text = serializeRepomd({ ...repomd, revision: String(timestamp), records })
  await sink.write(repomdPath, text, 'entry')
  if (signer?.kind !== 'openpgp') return
  await sink.write(signaturePath, await signer.detached(Buffer.from(text), now), 'entry')
  await sink.write(repomdKeyPath, signer.publicKey, 'entry')
  await sink.write(keyPath, signer.publicKey, 'plain')
}

/** What the tree holds, to prune what accompanies the packages. Collected only as far as something is to be pruned. */
class PublishedPackages {
  /** `name-epoch:version-release.arch` */
  readonly nevras = new Set<string>()
  readonly names = new Set<string>()
  readonly #needsNevras: boolean
  readonly #needsNames: boolean

  constructor(upstream: Repomd | null) {
    this.#needsNevras = upstream !== null && findRecord(upstream, 'modules', 'updateinfo') !== null
    this.#needsNames = upstream !== null && findRecord(upstream, ...compsTypes) !== null
  }

  add({ name, version, architecture }: StoredPackage): void {
    if (this.#needsNevras) this.nevras.add(`${name}-${version}.${architecture}`)
    if (this.#needsNames) this.names.add(name)
  }
}

/** Upstream's own index, kept with the revision, to know what else came along. A hosted repository has none. */
async function readUpstreamRepomd({ files, read }: RpmPublishInput): Promise<Repomd | null> {
  const file = files.find(({ path }) => path === repomdPath)
  return file ? parseRepomd(await readWhole(read(file.digest))) : null
}

/** Types that say nothing which pruning would change: productid, and what is not known. Copied, file and record. */
function isCarried({ type }: RepomdRecord): boolean {
  const isOurs =
    (packageDocuments as readonly string[]).includes(type) || type === 'modules' || type === 'updateinfo'
  return (
    !isOurs &&
    !isCopyOfAnother(type) &&
    !deltaTypes.has(type) &&
    !(compsTypes as readonly string[]).includes(type)
  )
}

async function writeComps(
  input: RpmPublishInput,
  upstream: Repomd,
  { names }: PublishedPackages,
  writer: RecordWriter,
): Promise<void> {
  const bytes = await readUpstreamWhole(input, findRecord(upstream, ...compsTypes))
  // Not compressed, as the oldest clients want it; it is small.
  if (bytes) await writer.write('group', 'none', once(pruneComps(bytes, names)))
}

async function writeModules(
  input: RpmPublishInput,
  upstream: Repomd,
  { nevras }: PublishedPackages,
  writer: RecordWriter,
): Promise<void> {
  const bytes = await readUpstreamWhole(input, findRecord(upstream, 'modules'))
  if (!bytes) return
  const { text, warnings } = pruneModules(Buffer.from(bytes).toString('utf8'), (nevra) => nevras.has(nevra))
  for (const { index, message } of warnings) {
    input.reporter.report({
      type: 'warning',
      code: 'METADATA_DROPPED',
      message: `modules: document ${index + 1} is left out: ${message}`,
      repository: input.repository,
    })
  }
  if (text !== null) await writer.write('modules', input.options.compression, once(Buffer.from(text)))
}

async function writeUpdateinfo(
  input: RpmPublishInput,
  upstream: Repomd,
  { nevras }: PublishedPackages,
  writer: RecordWriter,
): Promise<void> {
  const source = openUpstream(input, findRecord(upstream, 'updateinfo'))
  if (!source) return
  const pruned = pruneUpdateinfo(source, (nevra) => nevras.has(nevra))
  const first = await pruned.next()
  // It gives nothing at all where no advisory is left: an empty updateinfo is not published.
  if (first.done) return
  const { value } = first
  await writer.write(
    'updateinfo',
    input.options.compression,
    (async function* () {
      yield value
      yield* pruned
    })(),
  )
}

function openUpstream(input: RpmPublishInput, record: RepomdRecord | null): ByteSource | null {
  const file = record && storedFileOf(input.files, record)
  if (!file) return null
  return decompress(input.read(file.digest), { maxSize: openLimit(record, file.size, input.limits) })
}

async function readUpstreamWhole(
  input: RpmPublishInput,
  record: RepomdRecord | null,
): Promise<Uint8Array | null> {
  const file = record && storedFileOf(input.files, record)
  if (!file) return null
  const maxSize = Math.min(openLimit(record, file.size, input.limits), wholeLimit)
  return readWhole(decompress(input.read(file.digest), { maxSize }))
}

/** `null` where upstream did not have it and the repository does without. */
function storedFileOf(files: readonly StoredFile[], record: RepomdRecord): StoredFile | null {
  const path = recordPath(record)
  return files.find((file) => file.path === path) ?? null
}

/** Installer images as they are; the treeinfo without the checksums of metadata that is not upstream's any more. */
async function writeTree({ repository, files, read }: RpmPublishInput, sink: PublicationSink): Promise<void> {
  for (const file of files) {
    if (!isMetadata(file)) await sink.place(file, repository)
    else if (treeinfoPaths.includes(file.path)) {
      const text = Buffer.from(await readWhole(read(file.digest))).toString('utf8')
      await sink.write(file.path, withoutRepodata(text), 'plain')
    } else if (!file.path.startsWith('repodata/')) await sink.copy(file, 'plain')
  }
}

async function* once(bytes: Uint8Array): ByteSource {
  yield bytes
}

/** Writes metadata files under names that carry their checksum, and collects their records. */
class RecordWriter {
  readonly records: RepomdRecord[] = []
  readonly runs: RepeatedRuns
  readonly #input: RpmPublishInput
  readonly #sink: PublicationSink

  constructor(input: RpmPublishInput, sink: PublicationSink) {
    this.#input = input
    this.#sink = sink
    this.runs = new RepeatedRuns(input.earlier)
  }

  /** As {@link write}, for content whose chunks are runs: those that the tree before had are copied, not compressed. */
  async writeRuns(
    type: string,
    format: WrittenFormat,
    content: AsyncIterable<Uint8Array | MadeRun>,
  ): Promise<void> {
    if (format === 'xz') return this.write(type, format, ownChunks(content))
    const open = new MeasuredContent(content)
    const file = this.runs.startFile(format)
    const bytes = compressRuns(format, open, (digest) => this.runs.find(format, digest))
    const written = await this.#put(type, format, file.pass(bytes))
    file.finish(written.path)
    this.#add(type, written, open.finish())
  }

  async write(type: string, format: WrittenFormat | 'none', content: ByteSource): Promise<void> {
    const open = new MeasuredContent(content)
    const written = await this.#put(type, format, format === 'none' ? open : compress(format, open))
    this.#add(type, written, format === 'none' ? null : open.finish())
  }

  #put(type: string, format: CompressionFormat, bytes: ByteSource): Promise<WrittenFile> {
    const fileName = `${baseNames[type] ?? `${type}.xml`}${compressedExtension(format)}`
    return this.#sink.write(
      ({ checksums }) =>
        joinRelativePath(parseRelativePath('repodata'), `${sha256Of(checksums).hex}-${fileName}`),
      bytes,
      'addressed',
    )
  }

  /** Upstream's file of this record, under its own name. */
  async carry(record: RepomdRecord): Promise<void> {
    const file = storedFileOf(this.#input.files, record)
    if (!file) return
    await this.#sink.copy(file, roleOf(file))
    const checksum: Checksum = { algorithm: 'sha256', hex: file.digest }
    this.records.push({
      ...record,
      href: file.path,
      checksum,
      size: file.size,
      timestamp: null,
      headerChecksum: null,
      headerSize: null,
    })
  }

  #add(
    type: string,
    { path, size, checksums }: WrittenFile,
    open: { readonly checksum: Checksum; readonly size: number } | null,
  ): void {
    this.records.push({
      type,
      checksum: sha256Of(checksums),
      openChecksum: open?.checksum ?? null,
      size,
      openSize: open?.size ?? null,
      timestamp: null,
      href: path,
      xmlBase: null,
      databaseVersion: null,
      headerChecksum: null,
      headerSize: null,
    })
  }
}

/** Runs are in memory that is used again; who compresses as one stream holds several chunks at a time. */
async function* ownChunks(content: AsyncIterable<Uint8Array | MadeRun>): ByteSource {
  for await (const run of content) yield Buffer.from(bytesOf(run))
}

function bytesOf(chunk: Uint8Array | MadeRun): Uint8Array {
  return chunk instanceof Uint8Array ? chunk : chunk.bytes
}

/** What passes on its way to be compressed. */
class MeasuredContent<Chunk extends Uint8Array | MadeRun> implements AsyncIterable<Chunk> {
  readonly #content: AsyncIterable<Chunk>
  readonly #hash = createHash('sha256')
  #size = 0

  constructor(content: AsyncIterable<Chunk>) {
    this.#content = content
  }

  async *[Symbol.asyncIterator]() {
    for await (const chunk of this.#content) {
      const bytes = bytesOf(chunk)
      this.#hash.update(bytes)
      this.#size += bytes.byteLength
      yield chunk
    }
  }

  finish(): { readonly checksum: Checksum; readonly size: number } {
    return { checksum: { algorithm: 'sha256', hex: this.#hash.digest('hex') }, size: this.#size }
  }
}

const baseNames: Readonly<Record<string, string>> = { group: 'comps.xml', modules: 'modules.yaml' }

function sha256Of(checksums: readonly Checksum[]): Checksum {
  const found = checksums.find(({ algorithm }) => algorithm === 'sha256')
  if (!found) throw new Error('the sink gives no SHA-256')
  return found
}

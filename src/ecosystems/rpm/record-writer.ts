import {
  type CompressionFormat,
  compress,
  compressedExtension,
  type WrittenFormat,
} from '../../codec/compression.ts'
import { MeasuredContent, ownChunks } from '../../codec/measured-content.ts'
import { RepeatedRuns } from '../../codec/repeated-runs.ts'
import { compressRuns, type MadeRun } from '../../codec/run-compression.ts'
import type { ByteSource } from '../../core/bytes.ts'
import type { Checksum } from '../../core/digest.ts'
import type { StoredFile } from '../../core/model.ts'
import { joinRelativePath, parseRelativePath } from '../../core/path.ts'
import type { EarlierTree, PublicationSink, WrittenFile } from '../../core/publication.ts'
import type { RepomdRecord } from './formats/repomd.ts'
import { roleOf } from './mirror-publisher.ts'

/** Writes metadata files under names that carry their checksum, and collects their records. */
export class RecordWriter {
  readonly records: RepomdRecord[] = []
  readonly runs: RepeatedRuns
  readonly #sink: PublicationSink

  constructor(earlier: EarlierTree | null, sink: PublicationSink) {
    this.#sink = sink
    this.runs = new RepeatedRuns(earlier)
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

  /** A file of upstream's, as this record of upstream's says, under its own name. */
  async carry(record: RepomdRecord, file: StoredFile): Promise<void> {
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

const baseNames: Readonly<Record<string, string>> = { group: 'comps.xml', modules: 'modules.yaml' }

function sha256Of(checksums: readonly Checksum[]): Checksum {
  const found = checksums.find(({ algorithm }) => algorithm === 'sha256')
  if (!found) throw new Error('the sink gives no SHA-256')
  return found
}

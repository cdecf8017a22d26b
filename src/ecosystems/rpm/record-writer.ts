import {
  type CompressionFormat,
  compress,
  compressedExtension,
  type WrittenFormat,
} from '../../codec/compression.ts'
import { MeasuredContent } from '../../codec/measured-content.ts'
import type { DocumentNotes } from '../../codec/runs/document-notes.ts'
import {
  type DocumentPiece,
  DocumentWriter,
  type OpenFacts,
  openPieces,
} from '../../codec/runs/document-writer.ts'
import { RunCollector } from '../../codec/runs/run-collector.ts'
import type { ByteSource } from '../../core/bytes.ts'
import type { Checksum } from '../../core/digest.ts'
import type { StoredFile } from '../../core/model.ts'
import { joinRelativePath, parseRelativePath } from '../../core/path.ts'
import type { PublicationSink, WrittenFile } from '../../core/publication.ts'
import type { RepomdRecord } from './formats/repomd.ts'
import type { PackageDocument } from './metadata.ts'
import { roleOf } from './mirror-publisher.ts'

/** A document with an entry per package. */
export interface EntryDocument {
  readonly type: PackageDocument
  /** Entries in a run. */
  readonly average: number
  readonly generate: (runs: RunCollector) => AsyncIterable<DocumentPiece>
  /** Told that it could not be written: those that are written at the same time have no use then. */
  readonly fail: (error: unknown) => void
}

/** Writes metadata files under names that carry their checksum, and collects their records. */
export class RecordWriter {
  readonly records: RepomdRecord[] = []
  readonly #notes: DocumentNotes
  readonly #sink: PublicationSink

  constructor(notes: DocumentNotes, sink: PublicationSink) {
    this.#sink = sink
    this.#notes = notes
  }

  /**
   * As {@link write}, for documents with an entry per package: what the tree before has of them is taken from there. Where it has any, they are
   * written at the same time, and who generates one hears that another failed. Otherwise one after another: there is nothing to wait for
   * but this thread, and native records of several would be in memory at once.
   */
  async writeEntries(format: WrittenFormat, documents: readonly EntryDocument[]): Promise<void> {
    if (this.#notes.hasNone) {
      for (const each of documents) {
        const list = await this.#writeEntries(format, each)
        list()
      }
      return
    }
    const outcomes = await Promise.allSettled(documents.map((each) => this.#writeEntries(format, each)))
    // In order, however long each took: equal trees have equal bytes.
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason
      outcome.value()
    }
  }

  /** @returns what lists it */
  async #writeEntries(
    format: WrittenFormat,
    { type, average, generate, fail }: EntryDocument,
  ): Promise<() => void> {
    try {
      const earlier = this.#notes.earlier(type, format)
      const runs = new RunCollector(average, earlier)
      if (format === 'xz') return await this.#write(type, format, openPieces(generate(runs)))
      const writer = new DocumentWriter(format, earlier)
      const written = await this.#put(type, format, writer.pass(generate(runs)))
      return () => {
        const { open, start, notes } = writer.finish()
        this.#notes.add({ name: type, format, ids: runs.ids, path: written.path, start, notes })
        this.#add(type, written, open)
      }
    } catch (error) {
      fail(error)
      throw error
    }
  }

  async write(type: string, format: WrittenFormat | 'none', content: ByteSource): Promise<void> {
    const list = await this.#write(type, format, content)
    list()
  }

  async #write(type: string, format: WrittenFormat | 'none', content: ByteSource): Promise<() => void> {
    const open = new MeasuredContent(content)
    const written = await this.#put(type, format, format === 'none' ? open : compress(format, open))
    return () => this.#add(type, written, format === 'none' ? null : open.finish())
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

  /**
   * A file of upstream's, as this record of upstream's says, under its own name. What the record says of its content by a weak checksum is
   * left out: the file's own SHA-256 vouches for all of it, and clients do without the other.
   */
  async carry(record: RepomdRecord, file: StoredFile): Promise<void> {
    await this.#sink.copy(file, roleOf(file))
    const checksum: Checksum = { algorithm: 'sha256', hex: file.digest }
    this.records.push({
      ...record,
      href: file.path,
      checksum,
      openChecksum: record.openChecksum && isWeak(record.openChecksum) ? null : record.openChecksum,
      size: file.size,
      timestamp: null,
      headerChecksum: null,
      headerSize: null,
    })
  }

  #add(type: string, { path, size, checksums }: WrittenFile, open: OpenFacts | null): void {
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

/** Clients that follow FIPS refuse these. */
function isWeak({ algorithm }: Checksum): boolean {
  return algorithm === 'md5' || algorithm === 'sha1' || algorithm === 'sha224'
}

const baseNames: Readonly<Record<string, string>> = { group: 'comps.xml', modules: 'modules.yaml' }

function sha256Of(checksums: readonly Checksum[]): Checksum {
  const found = checksums.find(({ algorithm }) => algorithm === 'sha256')
  if (!found) throw new Error('the sink gives no SHA-256')
  return found
}

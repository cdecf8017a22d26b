import type { ByteSource } from '../core/bytes.ts'
import { readWhole } from '../core/bytes.ts'
import type { ChecksumAlgorithm, Sha256 } from '../core/digest.ts'
import { ChantalError } from '../core/errors.ts'
import type { RepositoryId, StoredFile } from '../core/model.ts'
import { joinRelativePath, parseRelativePath, type RelativePath } from '../core/path.ts'
import type { PublicationSink, PublishedRole, WrittenFile } from '../core/publication.ts'
import { pathTaken } from '../core/taken-path.ts'
import { type Measured, measureWhole } from './measured-bytes.ts'

/** A file of a tree in memory. Packages are named, not read. */
export type MemoryFile =
  | {
      readonly kind: 'package'
      readonly digest: Sha256
      readonly size: number
      readonly repository: RepositoryId
    }
  | {
      readonly kind: 'copied' | 'written'
      readonly digest: Sha256
      readonly role: PublishedRole
      readonly bytes: Uint8Array
    }

/** A published tree in memory, for tests of what publishes. */
export class MemorySink implements PublicationSink {
  /** In the order they came. */
  readonly files = new Map<RelativePath, MemoryFile>()
  notes: readonly string[] = []
  readonly #read: (digest: Sha256) => ByteSource

  /** @param read gives the bytes of what is copied: a pool's `read`. @throws ChantalError `BLOB_MISSING` from `copy` by default */
  constructor(read: (digest: Sha256) => ByteSource = nothing) {
    this.#read = read
  }

  note(lines: readonly string[]): void {
    this.notes = lines
  }

  async place(
    { path, digest, size }: StoredFile,
    repository: RepositoryId,
    folder: RelativePath | '' = '',
  ): Promise<void> {
    this.#put(joinRelativePath(folder, path), { kind: 'package', digest, size, repository })
  }

  async copy({ path, digest }: StoredFile, role: PublishedRole): Promise<void> {
    this.#put(path, { kind: 'copied', digest, role, bytes: await readWhole(this.#read(digest)) })
  }

  async write(
    path: RelativePath | ((written: Measured) => RelativePath),
    content: ByteSource | Uint8Array | string,
    role: PublishedRole,
    algorithms?: readonly ChecksumAlgorithm[],
  ): Promise<WrittenFile> {
    const bytes = await wholeOf(content)
    const { measured, digest } = measureWhole(bytes, algorithms)
    const file = parseRelativePath(typeof path === 'function' ? path(measured) : path)
    this.#put(file, { kind: 'written', digest, role, bytes })
    return { path: file, ...measured }
  }

  async alias(path: RelativePath, of: RelativePath, role: PublishedRole): Promise<void> {
    const file = this.files.get(of)
    if (file === undefined || file.kind === 'package') throw new Error(`neither written nor copied: ${of}`)
    this.#put(parseRelativePath(path), { ...file, role })
  }

  /** Every path, in order. */
  paths(): readonly string[] {
    return [...this.files.keys()].sort()
  }

  /** @throws Error for a path that is not there, or is a package */
  bytes(path: string): Uint8Array {
    const file = this.files.get(parseRelativePath(path))
    if (file === undefined) throw new Error(`not published: ${path}; there is: ${this.paths().join(' ')}`)
    if (file.kind === 'package') throw new Error(`a package, which is not read: ${path}`)
    return file.bytes
  }

  /** As UTF-8. @throws as `bytes` */
  text(path: string): string {
    return new TextDecoder().decode(this.bytes(path))
  }

  #put(path: RelativePath, file: MemoryFile): void {
    const before = this.files.get(parseRelativePath(path))
    if (before?.digest === file.digest) return
    if (before) {
      throw pathTaken(path, false)
    }
    this.files.set(path, file)
  }
}

async function wholeOf(content: ByteSource | Uint8Array | string): Promise<Uint8Array> {
  if (typeof content === 'string') return new TextEncoder().encode(content)
  return content instanceof Uint8Array ? content : readWhole(content)
}

function nothing(digest: Sha256): ByteSource {
  throw new ChantalError('BLOB_MISSING', `not in the pool: ${digest}`, { details: { digest } })
}

import { createHash, randomUUID } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  fchmodSync,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import * as fs from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ByteSource } from '../core/bytes.ts'
import type { Expectation, Sha256 } from '../core/digest.ts'
import { parseSha256 } from '../core/digest.ts'
import { hasSystemCode } from '../core/errors.ts'
import { CheckedBytes, checkWhole } from './checked-bytes.ts'
import { flushFileSystem, flushOne } from './flush.ts'
import { blobMissing, ignoreMissing } from './missing-blob.ts'
import { makeMissingFolders } from './missing-folders.ts'
import { PartialFileOnDisk } from './partial-file.ts'
import { placeFile } from './place-file.ts'
import type {
  BlobHealth,
  BlobInfo,
  HandedOverBlob,
  PartialFile,
  PlacementMethod,
  Pool,
  ReceivedBlob,
  StoredBlob,
} from './pool.ts'
import { explainDiskError } from './system-errors.ts'
import { TemporaryBlob } from './temporary-blob.ts'

/** Naming is one call of the system after another. After so many, timers and everything else that waits have their turn. */
const namedInATurn = 100

/**
 * A pool on one local or shared POSIX file system.
 *
 *     <root>/chantal-pool.json    the marker: which catalog it belongs to (see pool-marker.ts)
 *     <root>/sha256/ab/abcd…      blobs, mode 0444: they are the same files as the published ones
 *     <root>/tmp/<uuid>-<n>       received, not yet kept
 *     <root>/tmp/<hash>.partial   a download that may be resumed
 *     <root>/quarantine/<digest>  found corrupt
 *
 * `tmp` and `sha256` share a file system: putting a blob in place is a link, never a copy.
 */
export class FilesystemPool implements Pool {
  readonly #root: string
  /** Names in `tmp` begin with it, so that no other process and no earlier one has the same. */
  readonly #own = randomUUID()
  #received = 0
  /** Whether files get the mode that they are made with; `null` before the first. */
  #isMaskOpen: boolean | null = null

  private constructor(root: string) {
    this.#root = root
  }

  /** The pool at `root` as it is, to look at: nothing is made where it is not there. */
  static at(root: string): FilesystemPool {
    return new FilesystemPool(root)
  }

  /** Opens the pool at `root`; makes the folders it needs, all of them durable before the first blob. */
  static async create(root: string): Promise<FilesystemPool> {
    try {
      if (await fs.stat(path.join(root, 'sha256/ff')).catch(() => null)) return new FilesystemPool(root)
      const shards = Array.from({ length: 256 }, (_, n) =>
        path.join(root, 'sha256', n.toString(16).padStart(2, '0')),
      )
      // `ff` comes last: where it exists, the others do.
      for (const folder of [path.join(root, 'tmp'), path.join(root, 'quarantine'), ...shards]) {
        await makeMissingFolders(folder)
      }
      for (const folder of [path.join(root, 'sha256'), root, path.dirname(root)]) await flushOne(folder)
      return new FilesystemPool(root)
    } catch (error) {
      throw explainDiskError(error, root)
    }
  }

  async receive(source: ByteSource, expect: Expectation, signal?: AbortSignal): Promise<ReceivedBlob> {
    const temporary = this.#temporaryPath()
    try {
      const checked = new CheckedBytes(expect)
      await using file = await fs.open(temporary, 'wx', 0o444)
      await file.writeFile(
        (async function* () {
          for await (const chunk of source) {
            signal?.throwIfAborted()
            checked.update(chunk)
            yield chunk
          }
        })(),
      )
      const { digest, size } = checked.finish()
      await file.chmod(0o444)
      return new TemporaryBlob(temporary, digest, size)
    } catch (error) {
      await fs.rm(temporary, { force: true })
      throw explainDiskError(error, temporary)
    }
  }

  receiveWhole(bytes: Uint8Array, expect: Expectation): ReceivedBlob {
    const { digest, size } = checkWhole(bytes, expect)
    const temporary = this.#temporaryPath()
    try {
      const file = openSync(temporary, 'wx', 0o444)
      try {
        for (let offset = 0; offset < size; ) offset += writeSync(file, bytes, offset)
        // The umask may have taken what a web server under another user needs.
        this.#isMaskOpen ??= (fstatSync(file).mode & 0o777) === 0o444
        if (!this.#isMaskOpen) fchmodSync(file, 0o444)
      } finally {
        closeSync(file)
      }
      return new TemporaryBlob(temporary, digest, size)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw explainDiskError(error, temporary)
    }
  }

  handOver(blob: ReceivedBlob): HandedOverBlob {
    const { path: file, digest, size } = ownBlob(blob)
    return { name: path.basename(file), digest, size }
  }

  takeOver({ name, digest, size }: HandedOverBlob): ReceivedBlob {
    return new TemporaryBlob(`${this.#root}/tmp/${name}`, digest, size)
  }

  openPartial(key: string): Promise<PartialFile | null> {
    const name = createHash('sha256').update(key).digest('hex')
    return PartialFileOnDisk.open(path.join(this.#root, 'tmp', name), this.#temporaryPath())
  }

  /** Two flushes for the whole batch: bytes before names, names before the caller's transaction. A crash between leaves temporary files, or sound names without rows. */
  async keep(blobs: readonly ReceivedBlob[]): Promise<readonly StoredBlob[]> {
    const received = blobs.map(ownBlob)
    if (received.length === 0) return []
    try {
      await flushFileSystem(
        this.#root,
        received.map((blob) => blob.path),
      )
      const stored: StoredBlob[] = []
      for (const [index, blob] of received.entries()) {
        if (index % namedInATurn === 0) await nextTurn()
        stored.push({ digest: blob.digest, size: blob.size, isNew: await this.#putInPlace(blob) })
      }
      await flushFileSystem(
        this.#root,
        new Set(received.map((blob) => path.dirname(this.#pathOf(blob.digest)))),
      )
      return stored
    } catch (error) {
      throw explainDiskError(error, this.#root)
    }
  }

  async has(digest: Sha256): Promise<boolean> {
    return (await this.#stat(digest)) !== null
  }

  read(digest: Sha256, range?: { readonly start: number; readonly end: number }): ByteSource {
    return readFrom(this.#pathOf(digest), digest, range)
  }

  readHead(digest: Sha256, maxBytes: number): Uint8Array {
    try {
      const file = openSync(this.#pathOf(digest), 'r')
      try {
        const head = Buffer.allocUnsafe(maxBytes)
        let size = 0
        for (let read = -1; read !== 0 && size < maxBytes; size += read) {
          read = readSync(file, head, size, maxBytes - size, size)
        }
        return head.subarray(0, size)
      } finally {
        closeSync(file)
      }
    } catch (error) {
      throw hasSystemCode(error, 'ENOENT') ? blobMissing(digest, error) : error
    }
  }

  async place(digest: Sha256, target: string): Promise<PlacementMethod> {
    try {
      return await placeFile(this.#pathOf(digest), target)
    } catch (error) {
      if (!hasSystemCode(error, 'ENOENT')) throw error
      throw (await this.has(digest))
        ? new Error(`no folder for ${target}`, { cause: error })
        : blobMissing(digest, error)
    }
  }

  /** Sizes by synchronous calls: millions of promises cost several times as much. */
  async *list(): AsyncIterable<BlobInfo> {
    const blobs = path.join(this.#root, 'sha256')
    for (const shard of await sortedNames(blobs)) {
      for (const name of await sortedNames(path.join(blobs, shard))) {
        const digest = parseSha256(name)
        const stat = statSync(this.#pathOf(digest), { throwIfNoEntry: false })
        if (stat) yield { digest, size: stat.size, storedAt: stat.mtime }
      }
    }
  }

  async check(digest: Sha256, onRead?: (bytes: number) => Promise<void>): Promise<BlobHealth> {
    const stat = await this.#stat(digest)
    if (!stat) return { state: 'missing' }
    const hash = createHash('sha256')
    for await (const chunk of this.read(digest)) {
      hash.update(chunk)
      await onRead?.(chunk.byteLength)
    }
    const actual = parseSha256(hash.digest('hex'))
    return actual === digest
      ? { state: 'sound', size: stat.size }
      : { state: 'corrupt', actual, size: stat.size }
  }

  async quarantine(digest: Sha256): Promise<void> {
    try {
      await fs.rename(this.#pathOf(digest), path.join(this.#root, 'quarantine', digest))
    } catch (error) {
      throw hasSystemCode(error, 'ENOENT') ? blobMissing(digest, error) : explainDiskError(error, this.#root)
    }
  }

  async remove(digest: Sha256): Promise<number> {
    const file = this.#pathOf(digest)
    try {
      const stat = statSync(file, { throwIfNoEntry: false })
      if (!stat) return 0
      unlinkSync(file)
      return stat.size
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) return 0
      throw explainDiskError(error, this.#root)
    }
  }

  async sweepTemporary(age: { readonly ms: number }): Promise<number> {
    const folder = path.join(this.#root, 'tmp')
    let swept = 0
    for (const name of await sortedNames(folder)) {
      const stat = await fs.stat(path.join(folder, name)).catch(ignoreMissing)
      if (!stat || Date.now() - stat.mtimeMs < age.ms) continue
      await fs.rm(path.join(folder, name), { force: true })
      swept += 1
    }
    return swept
  }

  async freeSpace(): Promise<number> {
    const { bavail, bsize } = await fs.statfs(this.#root)
    return bavail * bsize
  }

  #temporaryPath(): string {
    this.#received += 1
    return `${this.#root}/tmp/${this.#own}-${this.#received}`
  }

  #pathOf(digest: Sha256): string {
    return `${this.#root}/sha256/${digest.slice(0, 2)}/${digest}`
  }

  async #stat(digest: Sha256) {
    return fs.stat(this.#pathOf(digest)).catch(ignoreMissing)
  }

  /**
   * `link` and not `rename`: it fails where the name exists, so a sound blob is never replaced under a reader,
   * and `rename` between two links of one file would leave the temporary name behind.
   * Synchronous calls: thousands at once cost a fifth of what promises do.
   */
  async #putInPlace(blob: TemporaryBlob): Promise<boolean> {
    const target = this.#pathOf(blob.digest)
    try {
      linkSync(blob.path, target)
      unlinkSync(blob.path)
      return true
    } catch (error) {
      if (!hasSystemCode(error, 'EEXIST')) throw error
    }
    const isSound = (await this.check(blob.digest)).state === 'sound'
    if (isSound) unlinkSync(blob.path)
    else await fs.rename(blob.path, target)
    return !isSound
  }
}

/**
 * Opens the file when the first bytes are asked for: a stream that fails before anybody listens ends the process, and one that nobody reads
 * keeps its file open.
 */
async function* readFrom(file: string, digest: Sha256, range: Parameters<Pool['read']>[1]): ByteSource {
  if (range && range.end <= range.start) return
  const bounds = range ? { start: range.start, end: range.end - 1 } : {}
  try {
    yield* createReadStream(file, { ...bounds, highWaterMark: 256 * 1024 })
  } catch (error) {
    throw hasSystemCode(error, 'ENOENT') ? blobMissing(digest, error) : error
  }
}

function ownBlob(blob: ReceivedBlob): TemporaryBlob {
  if (!(blob instanceof TemporaryBlob)) throw new TypeError('not received by a FilesystemPool')
  return blob
}

async function sortedNames(folder: string): Promise<string[]> {
  const names = await fs.readdir(folder).catch(ignoreMissing)
  return (names ?? []).sort()
}

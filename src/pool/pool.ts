import type { BlobRef, ByteSource } from '../core/bytes.ts'
import type { Expectation, Sha256 } from '../core/digest.ts'

/** Bytes checked and on disk, not yet in the pool. Leaving its scope unkept removes them. */
export interface ReceivedBlob extends BlobRef, AsyncDisposable {}

/** A {@link ReceivedBlob} on its way to another thread: plain data. */
export interface HandedOverBlob extends BlobRef {
  /** Which file of the pool's it is. */
  readonly name: string
}

export interface StoredBlob extends BlobRef {
  /** `false` where the pool had these bytes already. */
  readonly isNew: boolean
}

export interface BlobInfo extends BlobRef {
  readonly storedAt: Date
}

export type BlobHealth =
  | { readonly state: 'sound'; readonly size: number }
  | { readonly state: 'missing' }
  | { readonly state: 'corrupt'; readonly actual: Sha256; readonly size: number }

/** How a blob came to its place in a published tree, cheapest first. */
export type PlacementMethod = 'hardlink' | 'reflink' | 'copy'

/**
 * A download that may outlive its process: bytes received so far under a key of the caller's.
 * Nothing vouches for them until {@link receive} has checked the whole file.
 */
export interface PartialFile extends AsyncDisposable {
  /** Bytes on disk already: where a range request goes on. */
  readonly size: number
  /**
   * Appends `source` and checks the whole file. If the source breaks off or `signal` aborts, what arrived stays for the next try;
   * if the whole file is wrong, nothing stays.
   * @param from where `source` begins: {@link size}, or 0 to start over
   * @throws ChantalError `CHECKSUM_MISMATCH`, `SIZE_LIMIT`; the source's own error unchanged
   */
  receive(source: ByteSource, from: number, expect: Expectation, signal?: AbortSignal): Promise<ReceivedBlob>
  /** Lets the key go, so that another may resume; keeps the bytes. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Files named by the SHA-256 of their bytes: `pool/sha256/ab/<digest>`.
 *
 * Holds at every moment, a crash included:
 * 1. A name in the pool was given to complete bytes that hash to it.
 * 2. A sound blob is read-only and never replaced; it ends by {@link remove}.
 * 3. Any number of processes may use one pool at once.
 *
 * The pool knows bytes, not packages: what is still wanted is the catalog's to say.
 */
export interface Pool {
  /**
   * Takes in bytes and checks them while they arrive. Needs no lease, however long it takes. Makes nothing durable: {@link keep} does, for a batch.
   * On failure nothing remains.
   * @throws ChantalError `CHECKSUM_MISMATCH`, `SIZE_LIMIT`, `DISK_FULL`, `NOT_WRITABLE`; the source's own error unchanged
   */
  receive(source: ByteSource, expect: Expectation, signal?: AbortSignal): Promise<ReceivedBlob>

  /**
   * {@link receive} for a small body that is whole in memory: synchronous system calls, which cost a fifth.
   * @throws as `receive`
   */
  receiveWhole(bytes: Uint8Array, expect: Expectation): ReceivedBlob

  /** Lets another thread of this process go on with a received blob; from then on, it is that one's. */
  handOver(blob: ReceivedBlob): HandedOverBlob

  /** What another thread handed over, of the same pool. */
  takeOver(blob: HandedOverBlob): ReceivedBlob

  /**
   * Opens what an earlier try left under `key`, or begins anew. `null` while another process or task has it open.
   * @param key any text that names the wanted bytes, such as their URL and checksum
   */
  openPartial(key: string): Promise<PartialFile | null>

  /**
   * Gives received blobs their names. Resolves once they survive a power cut.
   * A corrupt blob under one of the names is replaced: we hold sound bytes.
   * The caller holds the pool's shared lease, and records the blobs in the catalog before it lets go.
   */
  keep(blobs: readonly ReceivedBlob[]): Promise<readonly StoredBlob[]>

  has(digest: Sha256): Promise<boolean>

  /** @param range bytes from `start` up to, not including, `end`. @throws ChantalError `BLOB_MISSING` */
  read(digest: Sha256, range?: { readonly start: number; readonly end: number }): ByteSource

  /**
   * The first `maxBytes` of a blob, all of one that is smaller. Synchronous system calls: a stream costs many times as much.
   * @throws ChantalError `BLOB_MISSING`
   */
  readHead(digest: Sha256, maxBytes: number): Uint8Array

  /**
   * Puts the blob at `target`, an absolute path that does not exist yet, in a folder that does.
   * Falls back where the file system must: another device, too many links, no permission.
   * @throws ChantalError `BLOB_MISSING`, `ALREADY_EXISTS`, `DISK_FULL`, `NOT_WRITABLE`
   */
  place(digest: Sha256, target: string): Promise<PlacementMethod>

  /** In digest order, so two listings can be merged without holding either. */
  list(): AsyncIterable<BlobInfo>

  /**
   * Reads the blob whole. A corrupt one stays in place for {@link quarantine} to decide on.
   * @param onRead told of each part that was read, in bytes, and waited for: it sets the pace, and what it throws ends the reading
   */
  check(digest: Sha256, onRead?: (bytes: number) => Promise<void>): Promise<BlobHealth>

  /** Moves a corrupt blob to `pool/quarantine`, so that the next sync fetches it anew. Links to it elsewhere remain. */
  quarantine(digest: Sha256): Promise<void>

  /** The caller holds the pool's exclusive lease and has dropped the catalog row. Absent is fine. @returns bytes freed */
  remove(digest: Sha256): Promise<number>

  /** Removes temporary files of dead processes: older than `age`. @returns how many */
  sweepTemporary(age: { readonly ms: number }): Promise<number>

  /** Bytes free on the pool's file system for this user. */
  freeSpace(): Promise<number>
}

import { createHash } from 'node:crypto'
import { damagedBlob, nameMissing } from '../core/blob-errors.ts'
import type { ByteSource } from '../core/bytes.ts'
import type { Sha256 } from '../core/digest.ts'
import type { ChantalError } from '../core/errors.ts'
import type { StoredFile } from '../core/model.ts'
import type { Pool } from '../pool/pool.ts'

/**
 * Reads documents out of the pool, and compares them with their digests while they pass: what a disk has damaged would be recorded or
 * published as if upstream had said it, or be called upstream's fault where it cannot be read.
 */
export class CheckedReadings {
  readonly #pool: Pool
  #damage: ChantalError | null = null

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /**
   * @param files what is read is named after: those of one repository
   * @returns a source that throws `BLOB_MISSING`, and `BLOB_CORRUPT` at its end
   */
  of(files: readonly StoredFile[]): (digest: Sha256) => ByteSource {
    const paths = new Map(files.map(({ path, digest }) => [digest, path]))
    return (digest) => this.#toItsEnd(this.#compared(digest, paths.get(digest) ?? digest))
  }

  /**
   * Does work that reads. Where something that it read is damaged, that is why it failed, whatever it says itself; and it did not succeed.
   * @throws ChantalError `BLOB_CORRUPT`, and what the work throws
   */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    let result: T
    try {
      result = await work()
    } catch (error) {
      throw this.#damage ?? error
    }
    if (this.#damage) throw this.#damage
    return result
  }

  /** Who stops early, at what it cannot make sense of say, has the rest compared all the same. */
  async *#toItsEnd(chunks: AsyncGenerator<Uint8Array>): ByteSource {
    try {
      // Neither `for await` nor `yield*`, which would end the source with its reader.
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value
    } finally {
      // Nothing is left where it has ended or failed. To fail here would hide why the reader stopped; `guard` knows.
      await drain(chunks).catch(() => {})
    }
  }

  async *#compared(digest: Sha256, path: string): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256')
    try {
      for await (const chunk of this.#pool.read(digest)) {
        hash.update(chunk)
        yield chunk
      }
    } catch (error) {
      throw nameMissing(error, path)
    }
    const actual = hash.digest('hex')
    if (actual === digest) return
    this.#damage ??= damagedBlob({ path, digest }, actual)
    throw this.#damage
  }
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}

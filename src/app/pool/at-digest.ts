import type { BlobRef } from '../../core/bytes.ts'
import type { Sha256 } from '../../core/digest.ts'

/** A list in digest order, walked along with another one. */
export interface DigestWalk extends AsyncDisposable {
  /** @param digest no smaller than the one asked for before */
  has(digest: Sha256): Promise<boolean>
}

/** @param blobs in digest order */
export function atDigest(blobs: AsyncIterable<BlobRef>): DigestWalk {
  const walk = blobs[Symbol.asyncIterator]()
  let current: IteratorResult<BlobRef> | null = null
  return {
    async has(digest) {
      current ??= await walk.next()
      while (!current.done && current.value.digest < digest) current = await walk.next()
      return !current.done && current.value.digest === digest
    },
    async [Symbol.asyncDispose]() {
      await walk.return?.()
    },
  }
}

import type { Sha256 } from './digest.ts'

/** Bytes in order. Node streams and web streams are both this. */
export type ByteSource = AsyncIterable<Uint8Array>

/** A blob's identity and its size in bytes. */
export interface BlobRef {
  readonly digest: Sha256
  readonly size: number
}

/** Collects a source whose size its maker has bounded. */
export async function readWhole(source: ByteSource): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  const [only] = chunks
  return chunks.length === 1 && only ? only : Buffer.concat(chunks)
}

/**
 * Gives back the memory of large bytes that nobody reads any more, now: left to the collector of garbage, hundreds of megabytes that pass in
 * pieces have it run dozens of times. They are empty from then on, and whatever else lies in the same memory. Does nothing where they are small.
 */
export function giveBack({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= unsharedSize) buffer.transfer(0)
}

/** From this size on, a buffer of Node's is memory of its own and no part of one for several. */
export const unsharedSize = Math.max(64 * 1024, Buffer.poolSize + 1)

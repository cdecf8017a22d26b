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

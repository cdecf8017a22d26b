import { readFileSync } from 'node:fs'
import { decompress } from '../../../codec/compression.ts'
import { type ByteSource, readWhole } from '../../../core/bytes.ts'

export const aptCorpus = '../shared/corpus/apt'

export async function* inChunks(
  content: string | Uint8Array,
  size = 7,
): ByteSource & AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** All that a generator yields, as one, and what it returns. */
export async function gather<Result>(
  generator: AsyncGenerator<Uint8Array, Result, undefined>,
): Promise<{ readonly bytes: Buffer; readonly result: Result }> {
  const chunks: Uint8Array[] = []
  for (;;) {
    const { done, value } = await generator.next()
    if (done) return { bytes: Buffer.concat(chunks), result: value }
    chunks.push(value)
  }
}

/** Whether `part` is `whole` with some of it left out. */
export function isSubsequence(part: Uint8Array, whole: Uint8Array): boolean {
  let at = 0
  for (const byte of whole) if (at < part.length && part[at] === byte) at += 1
  return at === part.length
}

/** A document of the corpus, decompressed. */
export async function readCorpus(path: string): Promise<Buffer> {
  const source = decompress(inChunks(readFileSync(`${aptCorpus}/${path}`), 65_536), { maxSize: 2 ** 28 })
  return Buffer.from(await readWhole(source))
}

import { createHash, hash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import path from 'node:path'
import { parseSha256, type Sha256 } from '../core/digest.ts'
import type { GenerationManifest } from './generation-manifest.ts'
import type { PublicationFolder } from './publication-folder.ts'

/**
 * What a generation has besides packages and is missing, or of another size than its manifest says; with `deep`, or with other bytes. Relative
 * paths.
 */
export async function* damagedMetadata(
  folder: PublicationFolder,
  manifest: GenerationManifest,
  deep: boolean,
): AsyncGenerator<string> {
  const root = folder.folderOf(manifest.name)
  for (const { path: file, size, digest } of manifest.metadata) {
    const absolute = path.join(root, file)
    if (sizeOf(absolute) !== size) yield file
    else if (deep && digest !== null && (await digestOfFile(absolute, size)) !== digest) yield file
  }
}

/** In bytes; `null` where it is no file. Synchronous: thousands at once cost a fifth of what promises do. */
export function sizeOf(file: string): number | null {
  const found = statSync(file, { throwIfNoEntry: false })
  return found?.isFile() ? found.size : null
}

const smallBytes = 64 * 1024
const readBytes = 1024 ** 2

/**
 * What a file of this size holds. Without a stream, since each of its chunks costs promises; and small files in one piece, because there
 * may be tens of thousands of them.
 */
export async function digestOfFile(file: string, size: number): Promise<Sha256> {
  if (size <= smallBytes) return parseSha256(hash('sha256', readFileSync(file), 'hex'))
  const sum = createHash('sha256')
  await using handle = await fs.open(file)
  const buffer = Buffer.allocUnsafeSlow(Math.min(size, readBytes))
  while (true) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength)
    if (bytesRead === 0) return parseSha256(sum.digest('hex'))
    sum.update(buffer.subarray(0, bytesRead))
  }
}

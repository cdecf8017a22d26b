import { createReadStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import type { BlobRef, ByteSource } from '../core/bytes.ts'
import type { Sha256 } from '../core/digest.ts'
import { orNull } from './folders.ts'

/** Published files that may have certain bytes: nobody has looked. Of several names of one file it knows one; what has another size is none. */
export class PublishedCopies {
  readonly #files = new Map<Sha256, string[]>()
  readonly #seen = new Set<string>()

  /** @param file an absolute path */
  async add(file: string, { digest, size }: BlobRef): Promise<void> {
    const found = await orNull(fs.lstat(file))
    if (!found?.isFile() || found.size !== size) return
    const name = `${digest} ${found.dev} ${found.ino}`
    if (this.#seen.has(name)) return
    this.#seen.add(name)
    const files = this.#files.get(digest) ?? []
    files.push(file)
    this.#files.set(digest, files)
  }

  /** What each holds, opened when it is read. A source throws what the file system does. */
  *of(digest: Sha256): Generator<ByteSource> {
    for (const file of this.#files.get(digest) ?? []) yield read(file)
  }
}

async function* read(file: string): ByteSource {
  yield* createReadStream(file)
}

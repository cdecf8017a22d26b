import { createReadStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import type { BlobRef, ByteSource } from '../core/bytes.ts'
import type { Sha256 } from '../core/digest.ts'
import { orNull } from './folders.ts'

/** A published file that may have certain bytes: nobody has looked. */
export interface PublishedCopy {
  /** An absolute path. */
  readonly file: string
  /** The source throws what the file system does. */
  read(): ByteSource
}

/** By digest. Of several names of one file, one; what has another size now is none. */
export class PublishedCopies {
  readonly #byDigest = new Map<Sha256, PublishedCopy[]>()
  readonly #seen = new Set<string>()

  async add(file: string, { digest, size }: BlobRef): Promise<void> {
    const found = await orNull(fs.lstat(file))
    if (!found?.isFile() || found.size !== size) return
    const name = `${digest} ${found.dev} ${found.ino}`
    if (this.#seen.has(name)) return
    this.#seen.add(name)
    const copies = this.#byDigest.get(digest) ?? []
    copies.push({ file, read: () => createReadStream(file) })
    this.#byDigest.set(digest, copies)
  }

  of(digest: Sha256): readonly PublishedCopy[] {
    return this.#byDigest.get(digest) ?? []
  }
}

import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import type { BlobRef, ByteSource } from '../core/bytes.ts'
import type { Sha256 } from '../core/digest.ts'
import { ChantalError } from '../core/errors.ts'
import type { PublishedTrouble } from './publications.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/** Published files that may have certain bytes: nobody has looked. Of several names of one file it knows one; what has another size is none. */
export class PublishedCopies {
  readonly #files = new Map<Sha256, string[]>()
  readonly #seen = new Set<string>()
  /** Where more may be, and cannot be known. */
  readonly troubles: PublishedTrouble[] = []

  /** What cannot even be looked at is no copy. @param file an absolute path */
  async add(file: string, { digest, size }: BlobRef): Promise<void> {
    const found = await fs.lstat(file).catch(() => null)
    if (!found?.isFile() || found.size !== size) return
    const name = `${digest} ${found.dev} ${found.ino}`
    if (this.#seen.has(name)) return
    this.#seen.add(name)
    const files = this.#files.get(digest) ?? []
    files.push(file)
    this.#files.set(digest, files)
  }

  /** What each holds, opened when it is asked for. A source throws `NOT_FOUND`, whatever keeps it from being read. */
  *of(digest: Sha256): Generator<ByteSource> {
    for (const file of this.#files.get(digest) ?? []) yield read(file)
  }
}

/** The pool's own troubles have the system's codes too: these have another, so that whoever receives the bytes can tell them apart. */
async function* read(file: string): AsyncGenerator<Uint8Array> {
  try {
    // Another file may have the name by now: a link leads elsewhere, and a pipe would be waited for.
    await using handle = await fs.open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    if (!(await handle.stat()).isFile()) throw new Error('not a regular file')
    yield* handle.createReadStream({ autoClose: false })
  } catch (error) {
    throw new ChantalError('NOT_FOUND', `cannot read ${file}`, { cause: error, details: { path: file } })
  }
}

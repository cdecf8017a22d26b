import * as fs from 'node:fs/promises'
import path from 'node:path'
import { makeFolders, namesIn, orNull, readOrNull, readStartOrNull, replaceFile } from './folders.ts'
import { unlessDamaged } from './manifest-text.ts'
import {
  formatClaim,
  headerBytes,
  type NewClaim,
  parseClaim,
  repeatClaim,
  type ShelfClaim,
  shelfOfClaim,
} from './shelf-claim.ts'

/** The claims on the shelves of one repository: a file each, named by `claimName`. Whoever changes one holds the repository's lock. */
export class ShelfClaims {
  readonly #folder: string

  constructor(repositoryFolder: string) {
    this.#folder = path.join(repositoryFolder, 'claims')
  }

  names(): Promise<readonly string[]> {
    return namesIn(this.#folder)
  }

  /** Where it is damaged its generation may want anything, and nothing can be taken over from it. */
  async read(name: string): Promise<ShelfClaim | 'damaged' | null> {
    const file = path.join(this.#folder, name)
    const bytes = name.endsWith('.new') ? null : await readOrNull(file)
    return bytes === null ? null : unlessDamaged(() => parseClaim(bytes, file), 'damaged')
  }

  /** The shelf that a claim is on, without a look at its files; `null` where there is no such claim. */
  async shelfOf(name: string): Promise<number | 'damaged' | null> {
    const file = path.join(this.#folder, name)
    const start = await readStartOrNull(file, headerBytes)
    return start && unlessDamaged(() => shelfOfClaim(start, file), 'damaged')
  }

  save(name: string, claim: NewClaim): Promise<void> {
    return this.#write(name, formatClaim(claim))
  }

  /** @see repeatClaim */
  saveLike(
    name: string,
    claim: Pick<ShelfClaim, 'publication' | 'generation'>,
    like: ShelfClaim,
  ): Promise<void> {
    return this.#write(name, repeatClaim(claim, like))
  }

  /** Absent is fine. */
  async remove(name: string): Promise<void> {
    await fs.rm(path.join(this.#folder, name), { force: true })
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    await makeFolders(this.#folder)
    await replaceFile(path.join(this.#folder, name), bytes)
  }

  /** Once there are none. */
  async removeFolder(): Promise<void> {
    await orNull(fs.rmdir(this.#folder))
  }
}

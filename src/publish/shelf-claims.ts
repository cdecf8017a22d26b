import * as fs from 'node:fs/promises'
import path from 'node:path'
import { makeFolders, namesIn, orNull, readOrNull, readStartOrNull, replaceFile } from './folders.ts'
import { formatClaim, headerBytes, parseClaim, type ShelfClaim, shelfOfClaim } from './shelf-claim.ts'

/** The claims on the shelves of one repository: a file each, named by `claimName`. Whoever changes one holds the repository's lock. */
export class ShelfClaims {
  readonly #folder: string

  constructor(repositoryFolder: string) {
    this.#folder = path.join(repositoryFolder, 'claims')
  }

  names(): Promise<readonly string[]> {
    return namesIn(this.#folder)
  }

  async read(name: string): Promise<ShelfClaim | null> {
    const file = path.join(this.#folder, name)
    const bytes = name.endsWith('.new') ? null : await readOrNull(file)
    return bytes === null ? null : parseClaim(bytes, file)
  }

  /** The shelf that a claim is on, without a look at its files; `null` where there is no such claim. */
  async shelfOf(name: string): Promise<number | null> {
    const file = path.join(this.#folder, name)
    const start = await readStartOrNull(file, headerBytes)
    return start && shelfOfClaim(start, file)
  }

  async save(name: string, claim: Omit<ShelfClaim, 'sum'>): Promise<void> {
    await makeFolders(this.#folder)
    await replaceFile(path.join(this.#folder, name), formatClaim(claim))
  }

  /** Absent is fine. */
  async remove(name: string): Promise<void> {
    await fs.rm(path.join(this.#folder, name), { force: true })
  }

  /** Once there are none. */
  async removeFolder(): Promise<void> {
    await orNull(fs.rmdir(this.#folder))
  }
}

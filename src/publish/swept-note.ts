import * as fs from 'node:fs/promises'
import path from 'node:path'
import * as z from 'zod'
import { readOrNull, replaceFile } from './folders.ts'
import { formatManifest, parseManifest, unlessDamaged } from './manifest-text.ts'
import { ShelfClaims } from './shelf-claims.ts'
import type { ShelfLock } from './shelf-lock.ts'

export interface SweepTerms {
  readonly graceMs: number
  readonly now: Date
}

const headerSchema = z.object({ kind: z.literal('swept'), dueAt: z.number().nullable() })

/** What the last sweep of a repository's shelves left, so that the next one finds out for little whether there is anything to do. */
export class SweptNote {
  readonly #file: string
  readonly #claims: ShelfClaims

  constructor(repositoryFolder: string) {
    this.#file = path.join(repositoryFolder, 'swept')
    this.#claims = new ShelfClaims(repositoryFolder)
  }

  /**
   * What a sweep could find: `nothing` while the claims are those of the last one and nothing marked is due; `more claims` where there are
   * only more of them, and nothing is marked that they may want again.
   */
  async findToSweep({ graceMs, now }: SweepTerms): Promise<'nothing' | 'more claims' | 'anything'> {
    const bytes = await readOrNull(this.#file)
    if (bytes === null) return 'anything'
    const swept = await unlessDamaged(() => parseManifest(bytes, this.#file, headerSchema), null)
    if (swept === null) return 'anything'
    const { header, lines } = swept
    const isDue = header.dueAt !== null && header.dueAt <= now.getTime() - graceMs
    if (isDue) return 'anything'
    const claims = new Set(await this.#claims.names())
    if (!lines.every((claim) => claims.has(claim))) return 'anything'
    if (claims.size === lines.length) return 'nothing'
    return header.dueAt === null ? 'more claims' : 'anything'
  }

  /** Has the next sweep start from what there is now. @param dueAt since when the oldest has been unwanted */
  async save(dueAt: number | null, lock: ShelfLock): Promise<void> {
    const claims = (await this.#claims.names()).toSorted()
    await lock.assertHeld()
    await replaceFile(this.#file, formatManifest({ kind: 'swept', dueAt }, claims))
  }

  /** What is left that no claim wants, the next sweep has to find although no claim of the last one is gone. */
  async forget(): Promise<void> {
    await fs.rm(this.#file, { force: true })
  }
}

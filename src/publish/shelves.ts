import path from 'node:path'
import { ChantalError } from '../core/errors.ts'
import { namePattern, type RepositoryId } from '../core/model.ts'
import { TreeIncomplete } from '../core/publication.ts'
import type { Pool } from '../pool/pool.ts'
import { type ShelfLink, shownBelow } from './earlier-generation.ts'
import { namesIn } from './folders.ts'
import type { GenerationAt, GenerationName } from './publications.ts'
import { RepositoryShelves } from './repository-shelves.ts'
import { claimName } from './shelf-claim.ts'
import { ShelfClaims } from './shelf-claims.ts'
import type { ShelfLock } from './shelf-lock.ts'
import { type SweepTerms, SweptNote } from './swept-note.ts'

interface RepeatedClaim {
  readonly from: GenerationAt
  readonly to: GenerationAt
  /** Of the tree whose claim it is. */
  readonly links: readonly ShelfLink[]
  readonly recent: readonly GenerationName[]
}

/** Serializes who changes the shelves of one repository; in the program, the catalog's lease `shelf:<repository>`. */
export type LockShelf = (repository: RepositoryId) => Promise<ShelfLock>

/**
 * `<published>/.shelves/<repository>/`: package files under their published paths, shared by all generations.
 *
 *     1/Packages/b/bash-5.1-2.el9.x86_64.rpm   hard link into the pool
 *     1.manifest                               what stands there: path, digest, size, since when unwanted
 *     claims/<publication>@<generation>        what one generation wants
 *     swept                                    the claims at the last sweep: nothing to do while none of them is gone
 */
export class Shelves {
  readonly #root: string
  readonly #pool: Pool
  readonly #lock: LockShelf

  constructor(options: { published: string; pool: Pool; lockShelf: LockShelf | undefined }) {
    this.#root = path.join(options.published, '.shelves')
    this.#pool = options.pool
    this.#lock = options.lockShelf ?? lockWithinProcess()
  }

  folderOf(repository: RepositoryId): string {
    if (!namePattern.test(repository)) {
      throw new ChantalError('PATH_UNSAFE', `not a repository's id: ${JSON.stringify(repository)}`)
    }
    return path.join(this.#root, repository)
  }

  /** The repository's shelves, held until disposed. Who opens several does so in order of their names: two could wait for each other. */
  async open(repository: RepositoryId): Promise<RepositoryShelves> {
    const folder = this.folderOf(repository)
    const lock = await this.#lock(repository)
    try {
      return await RepositoryShelves.open({ folder, repository, pool: this.#pool, lock })
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
  }

  /**
   * Has one generation want what another wants, without a look at the files. The caller holds the leases of both publications.
   * @param claim.recent generations of the new claim's publication that clients may still have the metadata of
   * @returns `false`, and nothing is claimed, where those stand on another shelf, so that files would have to come along
   * @throws TreeIncomplete where no link shows what is claimed, or nobody can tell what that is
   */
  async repeatClaim(repository: RepositoryId, claim: RepeatedClaim): Promise<boolean> {
    await using lock = await this.#lock(repository)
    const claims = new ShelfClaims(this.folderOf(repository))
    const source = await claims.read(claimName(claim.from.path, claim.from.generation))
    if (source === null) return false
    if (source === 'damaged') throw new TreeIncomplete(`what ${claim.from.path} shows of ${repository}`)
    const { shelf, paths } = source
    const links = claim.links.filter((link) => link.repository === repository && link.shelf === shelf)
    const isShown = shownBelow(links.map(({ below }) => below))
    const hidden = paths.find((file) => !isShown(file))
    if (hidden !== undefined) throw new TreeIncomplete(`no link of the earlier tree shows ${hidden}`)
    for (const generation of claim.recent) {
      const recent = await claims.shelfOf(claimName(claim.to.path, generation))
      if (recent !== null && recent !== shelf) return false
    }
    const { path: publication, generation } = claim.to
    const name = claimName(publication, generation)
    await lock.assertHeld()
    await claims.saveLike(name, { publication, generation }, source)
    return true
  }

  async repositories(): Promise<readonly RepositoryId[]> {
    const names = await namesIn(this.#root)
    return names.filter((name) => namePattern.test(name)).sort() as RepositoryId[]
  }

  /** Lets go what a generation wanted. What nothing wants then stays until {@link sweep} has seen it unwanted for the grace period. */
  async dropClaims(claim: string): Promise<void> {
    for (const repository of await this.repositories()) {
      await new ShelfClaims(this.folderOf(repository)).remove(claim)
    }
  }

  /** {@link dropClaims} for a stage that never became a generation: what it linked without listing it goes at once. */
  async dropDeadClaims(claim: string): Promise<void> {
    for (const repository of await this.repositories()) {
      const claims = await new ShelfClaims(this.folderOf(repository)).names()
      if (!claims.includes(claim)) continue
      await using shelves = await this.open(repository)
      await shelves.withdraw(claim, [])
    }
  }

  /**
   * Marks what nothing wants, and removes what nothing has wanted for `graceMs`. A repository whose claims are those of
   * the last sweep, or those and more, costs two small reads: a further snapshot costs nothing for each that is published.
   */
  async sweep(terms: SweepTerms): Promise<void> {
    for (const repository of await this.repositories()) {
      const found = await new SweptNote(this.folderOf(repository)).findToSweep(terms)
      if (found === 'more claims' && (await this.#noteMoreClaims(repository, terms))) continue
      if (found === 'nothing') continue
      await using shelves = await this.open(repository)
      await shelves.sweep(terms)
    }
  }

  /** @returns `false` where somebody has changed more meanwhile */
  async #noteMoreClaims(repository: RepositoryId, terms: SweepTerms): Promise<boolean> {
    await using lock = await this.#lock(repository)
    const swept = new SweptNote(this.folderOf(repository))
    const found = await swept.findToSweep(terms)
    // Where somebody has swept meanwhile, what is due is in that note.
    if (found === 'more claims') await swept.save(null, lock)
    return found !== 'anything'
  }
}

function lockWithinProcess(): LockShelf {
  const last = new Map<RepositoryId, Promise<void>>()
  return async (repository) => {
    const before = last.get(repository)
    const { promise, resolve } = Promise.withResolvers<void>()
    last.set(repository, promise)
    await before
    return {
      assertHeld: async () => {},
      async [Symbol.asyncDispose]() {
        if (last.get(repository) === promise) last.delete(repository)
        resolve()
      },
    }
  }
}

import * as fs from 'node:fs/promises'
import path from 'node:path'
import type { BlobRef } from '../core/bytes.ts'
import type { Sha256 } from '../core/digest.ts'
import type { RepositoryId } from '../core/model.ts'
import type { RelativePath } from '../core/path.ts'
import { TreeIncomplete } from '../core/publication.ts'
import type { Pool } from '../pool/pool.ts'
import { type ShelfLink, shownBelow } from './earlier-generation.ts'
import { namesIn, removeEmptyFolders } from './folders.ts'
import type { GenerationManifest } from './generation-manifest.ts'
import type { DamagedFile, FileCheck, GenerationAt, GenerationName } from './publications.ts'
import { isSound, type PublishedPackage, restore } from './published-package.ts'
import { Shelf } from './shelf.ts'
import { claimName } from './shelf-claim.ts'
import { ShelfClaims } from './shelf-claims.ts'
import type { ShelfLock } from './shelf-lock.ts'
import { ShelfStand } from './shelf-stand.ts'
import { sweepShelves, takeOutWanted } from './sweep-shelves.ts'
import { type SweepTerms, SweptNote } from './swept-note.ts'

/** The shelves of one repository, while their lock is held. */
export class RepositoryShelves implements AsyncDisposable {
  readonly #folder: string
  readonly #claims: ShelfClaims
  readonly #swept: SweptNote
  readonly #repository: RepositoryId
  readonly #pool: Pool
  readonly #lock: ShelfLock
  readonly #shelves: readonly Shelf[]

  private constructor(options: OpenOptions, shelves: readonly Shelf[]) {
    this.#folder = options.folder
    this.#claims = new ShelfClaims(options.folder)
    this.#swept = new SweptNote(options.folder)
    this.#repository = options.repository
    this.#pool = options.pool
    this.#lock = options.lock
    this.#shelves = shelves
  }

  /** @param options.lock held; disposed with this */
  static async open(options: OpenOptions): Promise<RepositoryShelves> {
    const numbers = new Set<number>()
    for (const name of await namesIn(options.folder)) {
      const number = /^([1-9]\d*)(\.manifest)?$/.exec(name)?.[1]
      if (number !== undefined) numbers.add(Number(number))
    }
    const shelves: Shelf[] = []
    for (const number of [...numbers].sort((a, b) => b - a)) {
      shelves.push(await Shelf.open(options.folder, number, options.lock))
    }
    return new RepositoryShelves(options, shelves)
  }

  /**
   * Finds or opens the shelf on which all of `files` can stand, the one that lacks least, and claims them there.
   * Where that is not the shelf of the `recent` generations, what clients midway look for comes along.
   * Nothing is linked yet.
   */
  async claim(
    claim: ClaimTerms & { readonly files: ReadonlyMap<RelativePath, BlobRef> },
  ): Promise<ShelfStand> {
    const expiredBefore = claim.publishedAt.getTime() - claim.graceMs
    for (const shelf of this.#shelves) {
      await shelf.mend()
      await shelf.identify(this.#pool, claim.files)
    }
    let best: { shelf: Shelf; missing: readonly RelativePath[]; expired: readonly RelativePath[] } | null =
      null
    for (const shelf of this.#shelves) {
      const plan = shelf.plan(claim.files, expiredBefore)
      if (plan && (best === null || plan.missing.length < best.missing.length)) best = { shelf, ...plan }
    }
    const next = (this.#shelves[0]?.number ?? 0) + 1
    best ??= {
      shelf: await Shelf.open(this.#folder, next, this.#lock),
      missing: [...claim.files.keys()],
      expired: [],
    }
    const { files, isAnew } = claim
    const { shelf, missing } = best
    const lost = isAnew ? shelf.lost(files) : []
    const carried = best.shelf.besides(
      files,
      await this.#elsewhere(best.shelf, claim.publication, claim.recent),
    )
    if (carried.size > 0) await this.#swept.forget()
    return this.#claim(claim, {
      ...best,
      missing: [...missing, ...lost],
      files,
      carried,
      paths: [...files.keys()],
    })
  }

  /**
   * Claims what an earlier generation has standing here, without `gone` and with `files`, on the same shelf. Nothing is linked yet.
   * @param claim.linked folders of the shelf that links lead to
   * @returns `null` where that cannot be, and nothing is claimed: the earlier claim is gone, a path would change its bytes, a link
   *   would show nothing, or clients midway look for something on another shelf
   * @throws TreeIncomplete
   */
  async claimLike(
    claim: ClaimTerms & {
      readonly earlier: GenerationAt
      readonly gone: ReadonlySet<RelativePath>
      readonly files: ReadonlyMap<RelativePath, BlobRef>
      readonly linked: readonly string[]
    },
  ): Promise<{ readonly stand: ShelfStand; readonly packages: number } | null> {
    const { earlier, gone, files, linked } = claim
    const before = await this.#claims.read(claimName(earlier.path, earlier.generation))
    if (before === 'damaged') throw new TreeIncomplete(`what ${earlier.path} shows of ${this.#repository}`)
    const shelf = this.#shelves.find(({ number }) => number === before?.shelf)
    if (!before || !shelf) return null
    for (const generation of claim.recent) {
      const number = await this.#claims.shelfOf(claimName(claim.publication, generation))
      if (number !== null && number !== shelf.number) return null
    }
    const plan = shelf.plan(files, claim.publishedAt.getTime() - claim.graceMs)
    if (plan === null) return null
    const paths: RelativePath[] = []
    const listed = new Map(files)
    const isShown = shownBelow(linked)
    for (const file of before.paths as readonly RelativePath[]) {
      if (files.has(file) || gone.has(file)) continue
      if (!isShown(file)) throw new TreeIncomplete(`no link of the earlier tree shows ${file}`)
      const entry = shelf.entryAt(file)
      if (!entry || entry.digest === null)
        throw new TreeIncomplete(`not on the shelf of ${this.#repository}: ${file}`)
      if (entry.wanted.state !== 'wanted') listed.set(file, { digest: entry.digest, size: entry.size })
      paths.push(file)
    }
    paths.push(...files.keys())
    if (!linked.every((below) => paths.some((file) => below === '' || file.startsWith(`${below}/`))))
      return null
    const stand = await this.#claim(claim, { shelf, ...plan, files: listed, carried: new Map(), paths })
    return { stand, packages: paths.length }
  }

  /** What a generation has standing here, with the bytes of each. @throws TreeIncomplete */
  async claimed(publication: RelativePath, generation: GenerationName): Promise<Map<RelativePath, BlobRef>> {
    const files = new Map<RelativePath, BlobRef>()
    const claim = await this.#claims.read(claimName(publication, generation))
    if (!claim || claim === 'damaged')
      throw new TreeIncomplete(`${generation} of ${publication} claims nothing of ${this.#repository}`)
    const shelf = this.#shelves.find(({ number }) => number === claim.shelf)
    for (const file of claim.paths) {
      const entry = shelf?.entryAt(file as RelativePath)
      if (!entry || entry.digest === null)
        throw new TreeIncomplete(`not on the shelf of ${this.#repository}: ${file}`)
      files.set(file as RelativePath, { digest: entry.digest, size: entry.size })
    }
    return files
  }

  /** Undoes a claim of a stage that is given up. @param added what the stage put on the shelf and listed */
  async withdraw(name: string, added: readonly RelativePath[]): Promise<void> {
    const claim = await this.#claims.read(name)
    if (claim === null) return
    await this.#lock.assertHeld()
    await this.#swept.forget()
    await this.#claims.remove(name)
    const shelf = this.#shelves.find(({ number }) => claim !== 'damaged' && number === claim.shelf)
    if (shelf && claim !== 'damaged') {
      await shelf.unlink(
        claim.paths.filter((file) => !shelf.entries.has(file as RelativePath)) as RelativePath[],
      )
      const unwanted = new Map([[shelf.number, new Set<string>(added)]])
      if (added.length > 0) await takeOutWanted(unwanted, this.#claims)
      await shelf.remove(
        added.filter((file) => shelf.entries.has(file) && unwanted.get(shelf.number)?.has(file)),
      )
      if (shelf.entries.size === 0) await shelf.save()
    }
    await this.#removeIfEmpty()
  }

  /** @see sweepShelves */
  async sweep(terms: SweepTerms): Promise<void> {
    // Of processes that died: while we hold the lock, nobody else has one.
    for (const name of await namesIn(this.#folder)) {
      if (name.includes('.incoming-')) await fs.rm(path.join(this.#folder, name), { force: true })
    }
    const dueAt = await sweepShelves(this.#shelves, this.#claims, terms)
    if (await this.#removeIfEmpty()) return
    await this.#swept.save(dueAt, this.#lock)
  }

  /** Lists, as absolute paths, that do not say which bytes some of their files should have, since they were damaged. */
  *unclearLists(): Generator<string> {
    for (const { entries, folder } of this.#shelves)
      if ([...entries.values()].some(({ digest }) => digest === null)) yield `${folder}.manifest`
  }

  /** What stands here, or should, with these bytes. */
  *packages(digests: ReadonlySet<Sha256>): Generator<PublishedPackage> {
    for (const shelf of this.#shelves) {
      for (const [file, entry] of shelf.entries) {
        const { digest, size } = entry
        if (digest === null || !digests.has(digest) || entry.wanted.state === 'removing') continue
        yield shelf.packageAt(file, { digest, size })
      }
    }
  }

  /** What stands here and is not as it should be. */
  async *damagedFiles({ deep, repair }: FileCheck, signal: AbortSignal): AsyncGenerator<DamagedFile> {
    for (const shelf of this.#shelves) {
      if (shelf.isDamaged) {
        if (repair) await shelf.mend()
        const path = `.shelves/${this.#repository}/${shelf.number}.manifest`
        yield { path, isRecord: true, isRestored: repair }
      }
      for (const [path, { digest, size, wanted }] of shelf.entries) {
        if (wanted.state === 'removing') continue
        signal.throwIfAborted()
        if (digest === null) {
          // Its publications know its bytes: whoever of them is published anew says so.
          if (deep && wanted.state === 'wanted') yield { path, isRecord: false, isRestored: false }
          continue
        }
        const published = shelf.packageAt(path, { digest, size })
        if (await isSound(this.#pool, published, deep)) continue
        yield { path, isRecord: false, isRestored: repair && (await restore(this.#pool, published)) }
      }
    }
  }

  /**
   * Of what a generation has standing here, what nobody finds there: no link of its tree shows it, or the shelf is gone. Or its claim, where
   * nobody can tell.
   */
  async *unseen(
    { publication, name }: Pick<GenerationManifest, 'publication' | 'name'>,
    links: readonly ShelfLink[],
  ): AsyncGenerator<DamagedFile> {
    const claim = await this.#claims.read(claimName(publication, name))
    if (claim === null || claim === 'damaged') {
      const path = `.shelves/${this.#repository}/claims/${claimName(publication, name)}`
      yield { path, isRecord: true, isRestored: false }
      return
    }
    const shelf = this.#shelves.find(({ number }) => number === claim.shelf)
    const shown = links.filter((link) => link.repository === this.#repository && link.shelf === claim.shelf)
    const isShown = shownBelow(shown.map(({ below }) => below))
    for (const path of claim.paths)
      if (!shelf?.entryAt(path as RelativePath) || !isShown(path))
        yield { path, isRecord: false, isRestored: false }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock[Symbol.asyncDispose]()
  }

  async #claim(
    { publication, generation, publishedAt }: ClaimTerms,
    standing: {
      readonly shelf: Shelf
      readonly missing: readonly RelativePath[]
      readonly expired: readonly RelativePath[]
      readonly files: ReadonlyMap<RelativePath, BlobRef>
      readonly carried: ReadonlyMap<RelativePath, BlobRef>
      readonly paths: readonly RelativePath[]
    },
  ): Promise<ShelfStand> {
    const { shelf, missing, expired, files, carried, paths } = standing
    const claim = claimName(publication, generation)
    const claimed = { publication, generation, shelf: shelf.number, paths, carried: [...carried.keys()] }
    await this.#lock.assertHeld()
    await this.#claims.save(claim, claimed)
    await shelf.remove(expired)
    const [repository, pool] = [this.#repository, this.#pool]
    return new ShelfStand({ shelf, missing, files, carried, publishedAt, repository, claim, pool })
  }

  /** What these generations have standing on other shelves. */
  async #elsewhere(shelf: Shelf, publication: RelativePath, generations: readonly GenerationName[]) {
    const files = new Map<RelativePath, BlobRef>()
    for (const generation of generations) {
      const name = claimName(publication, generation)
      const number = await this.#claims.shelfOf(name)
      // Nearly always it is the same shelf, and what is claimed there need not be read.
      if (number === null || number === shelf.number) continue
      const claim = await this.#claims.read(name)
      if (claim === null || claim === 'damaged') continue
      const other = this.#shelves.find(({ number }) => number === claim.shelf)
      if (other === undefined) continue
      for (const file of claim.paths as readonly RelativePath[]) {
        const entry = other.entryAt(file)
        if (entry && entry.digest !== null && !files.has(file))
          files.set(file, { digest: entry.digest, size: entry.size })
      }
    }
    return files
  }

  async #removeIfEmpty(): Promise<boolean> {
    if (this.#shelves.some(({ entries }) => entries.size > 0)) return false
    if ((await this.#claims.names()).length > 0) return false
    await this.#swept.forget()
    await this.#claims.removeFolder()
    await removeEmptyFolders(this.#folder, path.dirname(this.#folder))
    return true
  }
}

/** Whose claim it is, and since when. */
export interface ClaimTerms {
  readonly publication: RelativePath
  readonly generation: GenerationName
  /** Generations of the same publication that clients may still have the metadata of. */
  readonly recent: readonly GenerationName[]
  readonly publishedAt: Date
  readonly graceMs: number
  /** Whether what stands there has to be looked at. */
  readonly isAnew: boolean
}

interface OpenOptions {
  readonly folder: string
  readonly repository: RepositoryId
  readonly pool: Pool
  readonly lock: ShelfLock
}

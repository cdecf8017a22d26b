import type { BlobRef } from '../core/bytes.ts'
import type { Sha256 } from '../core/digest.ts'
import type { RepositoryId } from '../core/model.ts'
import type { RelativePath } from '../core/path.ts'
import type { PublicationSink } from '../core/publication.ts'
import type { OpenedGeneration } from './opened-generation.ts'
import type { PublishedCopies } from './published-copies.ts'

export interface PruneTerms {
  /** Generations to keep, the current one among them. */
  readonly keep: number
  /** Names of generations that are no step of a way back, and do not count. They stay for the grace period alone. */
  readonly uncounted?: ReadonlySet<string>
  readonly graceMs: number
  readonly now: Date
}

/**
 * Published trees: `published/<path>` is a symbolic link to one generation, and switching it is one `rename`.
 * Clients see the old tree or the new one, never a mixture and never nothing.
 */
export interface Publications {
  /**
   * Starts a generation beside the current one. What it places stands on the shelves of the repositories it publishes,
   * shared with their other generations. The caller holds the publication's exclusive lease.
   * @param now becomes the publish time: raised where the clock is not after the time of the generation before
   * @param earlier a finished generation, of any path. The caller holds that publication's lease too, shared
   * @throws ChantalError `NOT_FOUND` where `earlier` is not on disk
   */
  begin(path: RelativePath, now: Date, earlier?: EarlierAt | null): Promise<PublicationStage>

  /** A finished generation's own files and notes; `null` where it is not on disk. The caller holds that publication's lease, shared is enough. */
  open(generation: GenerationAt): Promise<OpenedGeneration | null>

  /** The generation clients see now; `null` where nothing is published. */
  current(path: RelativePath): Promise<Generation | null>

  /** Those on disk, newest first. */
  generations(path: RelativePath): Promise<readonly Generation[]>

  /** Every published path, in order. */
  list(): Promise<readonly RelativePath[]>

  /**
   * What of the current generation clients do not find, or not as it was published: files, and the links that show packages. The caller
   * holds the publication's lease, shared is enough.
   */
  damagedFiles(path: RelativePath, check: FileCheck, signal: AbortSignal): Promise<readonly DamagedFile[]>

  /** Removes the path and its generations; shelves keep what others want, and the rest for the grace period. Absent is fine. */
  remove(path: RelativePath): Promise<void>

  /** Removes from the shelves of a repository what no generation wants, at once: for one that is given up. Absent is fine. */
  clearShelves(repository: RepositoryId, now: Date): Promise<void>

  /**
   * Drops generations beyond `keep` newest that have not been current for `graceMs`, the current one never; then from the
   * shelves, all repositories', what no generation has wanted for `graceMs`. A path that is not published is fine.
   * @returns the names dropped
   */
  prune(path: RelativePath, terms: PruneTerms): Promise<readonly GenerationName[]>

  /**
   * What was published with these bytes and still stands, packages and metadata: a pool that has lost them gets them back from there.
   * Where what lists them is damaged or cannot be read, the others are found all the same.
   */
  copies(blobs: readonly BlobRef[]): Promise<PublishedCopies>

  /**
   * Links published packages with these bytes to the pool anew: after a corrupt blob was fetched again, what is published
   * would still be the corrupt file. Packages that are gone come back, with their folders.
   * @returns those that could not be replaced, because of what stands in the way, and what could not be read that lists more
   * @throws ChantalError `DISK_FULL`
   */
  replaceFiles(digests: ReadonlySet<Sha256>): Promise<readonly PublishedTrouble[]>

  /**
   * One exact tree of plain files, no link in it: for media, and for copying a single path.
   * @param target an absolute path that does not exist, or an empty folder. @throws ChantalError `ALREADY_EXISTS`
   */
  exportTo(target: string, now: Date): Promise<PublicationStage>
}

/** How published files are looked at. */
export interface FileCheck {
  /** Of one path no more are found. */
  readonly limit: number
  /** Repositories whose shelves need no look again, since all publications share them; added to. */
  readonly looked: Set<RepositoryId>
  /** Compares the bytes of packages, and not only their sizes. */
  readonly deep: boolean
  /** Gives packages that are damaged the pool's bytes. */
  readonly repair: boolean
}

/** Something published that was to be read or replaced, and was not. */
export interface PublishedTrouble {
  /** Relative to the published folder. */
  readonly path: string
  readonly reason: string
}

export interface DamagedFile {
  /** Relative to a published tree; of a record, to the folder of all. */
  readonly path: string
  /** Not a file that clients see, but what is kept beside trees of what they hold and want. */
  readonly isRecord: boolean
  readonly isRestored: boolean
}

/** UTC time of the switch and a counter: `20260822T141503Z-1`. Sorts in order of time. */
export type GenerationName = string

/** One generation of one path. */
export interface GenerationAt {
  readonly path: RelativePath
  readonly generation: GenerationName
}

export interface EarlierAt extends GenerationAt {
  /**
   * Whether the new generation is to show its tree. `commit` repeats it then: packages without a step for each, notes, and metadata that was
   * not written to the stage, as fresh files with the new time. Otherwise packages may be taken over from it.
   */
  readonly isRepeated: boolean
}

/** What to take over of an earlier generation: a repository's packages. */
export interface TakenPackages {
  readonly repository: RepositoryId
  /** As for `place`. */
  readonly folder: RelativePath | null
  /** Paths of the earlier generation that are not taken over. What has changed is among them, and placed. */
  readonly gone: ReadonlySet<RelativePath>
}

export interface Generation {
  readonly name: GenerationName
  readonly files: number
  readonly publishedAt: Date
}

export interface PublicationStage extends PublicationSink, AsyncDisposable {
  /** What this generation will be called. */
  readonly name: GenerationName
  /** The moment to write into metadata: whole seconds, later than that of any generation of this path before. */
  readonly publishedAt: Date
  /** Links that this stage had to make for packages, so far. */
  readonly packageLinks: number
  /**
   * Has the packages that the earlier generation shows of a repository stand in this one too, without a step for each.
   * @returns whether it can; if not, nothing was done
   */
  takePackages(packages: TakenPackages): Promise<boolean>
  /**
   * Carries over the previous generation's `addressed` files younger than the grace period,
   * makes every file durable, then switches. After it the stage is spent.
   * @throws TreeIncomplete where what was taken over is not there
   */
  commit(): Promise<Generation>
  /** Leaving the scope without `commit` removes the stage and leaves clients as they were. */
  [Symbol.asyncDispose](): Promise<void>
}

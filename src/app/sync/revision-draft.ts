import type { NewPackage, OpenRevision } from '../../catalog/catalog-writer.ts'
import type { RepositorySettings } from '../../config/settings.ts'
import type { BlobRef } from '../../core/bytes.ts'
import { isChantalError } from '../../core/errors.ts'
import type { PackageKey, StoredFile, UpstreamFile, UpstreamPackage } from '../../core/model.ts'
import type { PackageSignature } from '../../core/package-signature.ts'
import type { SyncPlan } from '../../core/plan.ts'
import type { AppContext } from '../context.ts'

/** Rows of one transaction: enough to be quick, few enough that other writers get their turn. */
const batchRows = 1000

type Blobs = ReadonlyMap<UpstreamFile, BlobRef>

/** What came of checking the signatures of packages whose files are in the pool; nothing of those that nobody checks. */
type VerdictsOf = (
  packages: readonly UpstreamPackage[],
  blobs: Blobs,
) => Promise<ReadonlyMap<PackageKey, PackageSignature>>

/**
 * The next revision, open. Packages are recorded in it as soon as every file of theirs is in the pool, while others are still on their
 * way. Discarded, and the catalog is as it was, unless it was sealed.
 */
export class RevisionDraft implements AsyncDisposable {
  readonly #context: AppContext
  readonly #settings: RepositorySettings
  readonly #leaving: readonly PackageKey[]
  readonly #verdictsOf: VerdictsOf
  readonly #signal: AbortSignal
  /** Those that are not recorded yet, in order. */
  readonly #waiting: Set<UpstreamPackage>
  readonly #owners = new Map<UpstreamFile, UpstreamPackage>()
  #revision: OpenRevision | null = null
  #recorded = 0

  constructor(
    context: AppContext,
    input: {
      readonly settings: RepositorySettings
      readonly plan: Pick<SyncPlan, 'added' | 'removed' | 'replaced'>
      readonly verdictsOf: VerdictsOf
    },
    signal: AbortSignal,
  ) {
    const { added, removed, replaced } = input.plan
    this.#context = context
    this.#settings = input.settings
    this.#leaving = [...removed, ...replaced.map(({ key }) => key)]
    this.#verdictsOf = input.verdictsOf
    this.#signal = signal
    this.#waiting = new Set([...added, ...replaced])
    for (const pkg of this.#waiting) for (const file of pkg.files) this.#owners.set(file, pkg)
  }

  /** Whether the revision differs from the one before in its packages. */
  get isChanged(): boolean {
    return this.#recorded > 0 || this.#leaving.length > 0
  }

  /** Records the packages that these files complete. */
  async record(files: Iterable<UpstreamFile>, blobs: Blobs): Promise<void> {
    const complete = new Set<UpstreamPackage>()
    for (const file of files) {
      const pkg = this.#owners.get(file)
      if (pkg && this.#waiting.has(pkg) && pkg.files.every((each) => blobs.has(each))) complete.add(pkg)
    }
    await this.#add([...complete], blobs)
  }

  /** Records the rest: what waited for a file that is optional and will not come, or that is the same as another's. */
  async recordRest(blobs: Blobs): Promise<void> {
    await this.#add(
      [...this.#waiting].filter((pkg) => isHere(pkg, blobs)),
      blobs,
    )
  }

  /** The revision, without what leaves. */
  async open(): Promise<OpenRevision> {
    if (this.#revision) return this.#revision
    const { catalog } = this.#context
    const revision = await catalog.write((writer) => writer.openRevision(this.#settings.id))
    this.#revision = revision
    this.#context.reached?.('revision opened')
    for (const keys of batches(this.#leaving))
      await this.#step(() => catalog.write((writer) => writer.removePackages(revision, keys)))
    return revision
  }

  /** After it was sealed. */
  keep(): void {
    this.#revision = null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const revision = this.#revision
    this.#revision = null
    // Whoever took the repository over has discarded it, and may have opened one of the same number.
    if (!revision || isChantalError(this.#signal.reason, 'LEASE_LOST')) return
    try {
      await this.#context.catalog.write((writer) => writer.discardRevision(revision))
    } catch (error) {
      // What cannot be discarded now, the next sync discards; it must not hide why this one ended.
      if (!isChantalError(error)) throw error
    }
  }

  async #add(packages: readonly UpstreamPackage[], blobs: Blobs): Promise<void> {
    if (packages.length === 0) return
    const verdicts = await this.#verdictsOf(packages, blobs)
    const { catalog } = this.#context
    const revision = await this.open()
    for (const batch of batches(packages)) {
      await this.#step(() =>
        catalog.write((writer) =>
          writer.addPackages(
            revision,
            batch.map((pkg) => newPackage(pkg, blobs, verdicts.get(pkg.key) ?? null)),
          ),
        ),
      )
      for (const pkg of batch) this.#waiting.delete(pkg)
      this.#recorded += batch.length
    }
  }

  async #step(work: () => Promise<void>): Promise<void> {
    this.#signal.throwIfAborted()
    await work()
  }
}

/** An optional file may be missing. */
export function isHere({ files }: UpstreamPackage, blobs: Blobs): boolean {
  return blobs.has(files[0]) && files.every((file) => file.isOptional || blobs.has(file))
}

/** Made when its batch is written: all at once they would take more memory than all before. */
function newPackage(pkg: UpstreamPackage, blobs: Blobs, signature: PackageSignature | null): NewPackage {
  const { key, name, version, architecture, builtAt, identity, attributes, files } = pkg
  const [first, ...rest] = files.flatMap((file) => storedFile(file, blobs) ?? [])
  if (!first) throw new Error(`a package without its file: ${key}`)
  const facts = { key, name, version, architecture, builtAt, identity, attributes }
  return { ...facts, files: [first, ...rest], signature }
}

export function storedFile(file: UpstreamFile | StoredFile, blobs: Blobs): StoredFile | null {
  if ('digest' in file) return file
  const blob = blobs.get(file)
  return blob ? { path: file.path, digest: blob.digest, size: blob.size } : null
}

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += batchRows) yield items.slice(start, start + batchRows)
}

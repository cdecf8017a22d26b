import type { FileInterval, OpenImport, PackageInterval } from '../../catalog/intervals.ts'
import type { Pool } from '../../pool/pool.ts'
import { absentFrom } from './drop-imports.ts'
import type { ImportContext } from './import-context.ts'

/** Rows and bytes of one transaction: enough to be quick, few enough that other writers get their turn. */
const batchRows = 2000
const batchBytes = 8 * 1024 ** 2

/** Writes an import's rows in batches, their blobs first. */
export class RowWriter {
  readonly #context: ImportContext
  readonly #open: OpenImport
  readonly #pool: Pool
  readonly #signal: AbortSignal
  #files: FileInterval[] = []
  #packages: PackageInterval[] = []
  #bytes = 0
  #packageCount = 0
  #missingBlobs = 0
  #missingBytes = 0

  constructor(context: ImportContext, open: OpenImport, pool: Pool, signal: AbortSignal) {
    this.#context = context
    this.#open = open
    this.#pool = pool
    this.#signal = signal
  }

  get packages(): number {
    return this.#packageCount
  }

  /** Blobs that the pool has not, though rows name them now. */
  get missing(): { readonly blobs: number; readonly bytes: number } {
    return { blobs: this.#missingBlobs, bytes: this.#missingBytes }
  }

  /** @param size what it counts for, in bytes */
  async addFile(file: FileInterval, size: number): Promise<void> {
    this.#files.push(file)
    await this.#count(size)
  }

  /** @param size what it counts for, in bytes */
  async addPackage(pkg: PackageInterval, size: number): Promise<void> {
    this.#packages.push(pkg)
    this.#packageCount += 1
    await this.#count(size)
  }

  async #count(size: number): Promise<void> {
    this.#bytes += size
    if (this.#files.length + this.#packages.length >= batchRows || this.#bytes >= batchBytes)
      await this.flush()
  }

  async flush(): Promise<void> {
    const files = this.#files
    const packages = this.#packages
    this.#files = []
    this.#packages = []
    this.#bytes = 0
    if (files.length + packages.length === 0) return
    const { catalog, now } = this.#context
    const stored = [...files.map(({ file }) => file), ...packages.flatMap((pkg) => pkg.files)]
    const sizes = new Map(stored.map(({ digest, size }) => [digest, size]))
    // A file without a row is garbage: while it gets one, nobody may be removing it.
    await using lease = await catalog.acquire({
      resource: 'pool',
      mode: 'shared',
      purpose: `import ${this.#open.repository}`,
      waitMs: 60_000,
      signal: this.#signal,
    })
    lease.signal.throwIfAborted()
    const unknown = await catalog.write(async (writer) => {
      const known = await writer.touchBlobs([...sizes.keys()], now())
      const blobs = [...sizes].map(([digest, size]) => ({ digest, size }))
      const added = blobs.filter(({ digest }) => !known.has(digest))
      await writer.addBlobs(added, now())
      await writer.importFiles(this.#open, files)
      await writer.importPackages(this.#open, packages)
      return added.map(({ digest }) => digest)
    })
    for (const digest of await absentFrom(this.#pool, unknown)) {
      this.#missingBlobs += 1
      this.#missingBytes += sizes.get(digest) ?? 0
    }
  }
}

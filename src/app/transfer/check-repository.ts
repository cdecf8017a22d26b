import type { Interval, SealedRevision } from '../../catalog/intervals.ts'
import { ChantalError } from '../../core/errors.ts'
import type { OwnedItem } from './item-reader.ts'

type Kind = OwnedItem['type']

const kinds: readonly Kind[] = ['revision', 'file', 'package', 'snapshot', 'sync']

/**
 * Holds one repository of an export to what catalogs rely on: the order of items; revisions without gaps, of which the last is
 * kept; intervals that a kept revision shows and that do not overlap; as many packages as each revision says.
 * Every method @throws ChantalError `IMPORT_INVALID`, without the place
 */
export class RepositoryChecker {
  readonly #revisions: SealedRevision[] = []
  /** Of kept revisions, how many have this number or a lower one. */
  readonly #keptUpTo: number[] = [0]
  /** By how many packages a revision differs from the one before. */
  readonly #changes = new Map<number, number>()
  readonly #snapshots = new Set<string>()
  #kind: Kind = 'revision'
  #last: { readonly name: Buffer; readonly interval: Interval } | null = null

  get revisions(): readonly SealedRevision[] {
    return this.#revisions
  }

  checkKind(kind: Kind): void {
    if (kinds.indexOf(kind) < kinds.indexOf(this.#kind)) throw invalid(`a ${kind} after a ${this.#kind}`)
    if (kind === this.#kind) return
    if (this.#kind === 'revision') this.#endRevisions()
    this.#kind = kind
    this.#last = null
  }

  addRevision(revision: SealedRevision): void {
    const expected = this.#revisions.length + 1
    if (revision.number !== expected)
      throw invalid(`revision ${revision.number}, where ${expected} is the next`)
    this.#revisions.push(revision)
    this.#keptUpTo.push((this.#keptUpTo.at(-1) ?? 0) + (revision.prunedAt === null ? 1 : 0))
  }

  addFile(path: string, interval: Interval): void {
    this.#addInterval(path, interval)
  }

  addPackage(key: string, interval: Interval): void {
    this.#addInterval(key, interval)
    this.#change(interval.addedIn, 1)
    if (interval.removedIn !== null) this.#change(interval.removedIn, -1)
  }

  addSnapshot(name: string, revision: number): void {
    if (this.#snapshots.has(name)) throw invalid(`a second snapshot ${name}`)
    this.#snapshots.add(name)
    if (this.#revisions[revision - 1]?.prunedAt !== null)
      throw invalid(`snapshot ${name} names revision ${revision}, which is not kept`)
  }

  end(): void {
    if (this.#kind === 'revision') this.#endRevisions()
    let packages = 0
    for (const { number, packageCount, prunedAt } of this.#revisions) {
      packages += this.#changes.get(number) ?? 0
      if (prunedAt === null && packages !== packageCount)
        throw invalid(`revision ${number} has ${packages} packages, and should have ${packageCount}`)
    }
  }

  #endRevisions(): void {
    const latest = this.#revisions.at(-1)
    if (latest && latest.prunedAt !== null) throw invalid('the latest revision is not kept')
  }

  #addInterval(name: string, interval: Interval): void {
    const { addedIn, removedIn } = interval
    const latest = this.#revisions.length
    const end = removedIn ?? latest + 1
    if (addedIn > latest || end > latest + (removedIn === null ? 1 : 0) || end <= addedIn)
      throw invalid(`no revisions from ${addedIn} to ${removedIn ?? 'the latest'}`)
    if (this.#keptUpTo[end - 1] === this.#keptUpTo[addedIn - 1])
      throw invalid('no revision that is kept holds it')
    const bytes = Buffer.from(name)
    const order = this.#last === null ? 1 : Buffer.compare(bytes, this.#last.name)
    if (order < 0) throw invalid(`${JSON.stringify(name)} is out of order`)
    if (order === 0 && (this.#last?.interval.removedIn ?? Number.POSITIVE_INFINITY) > addedIn)
      throw invalid(`${JSON.stringify(name)} is twice in revision ${addedIn}`)
    this.#last = { name: bytes, interval }
  }

  #change(revision: number, by: number): void {
    this.#changes.set(revision, (this.#changes.get(revision) ?? 0) + by)
  }
}

function invalid(message: string): ChantalError {
  return new ChantalError('IMPORT_INVALID', message)
}

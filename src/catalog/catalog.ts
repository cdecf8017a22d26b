import type { CatalogFlaw, CatalogReader } from './catalog-reader.ts'
import type { CatalogWriter } from './catalog-writer.ts'
import type { Lease, LeaseHealth, LeaseHolder, LeaseRequest } from './lease.ts'

/**
 * What we know: repositories, their revisions, snapshots, publications, sync history, and which blobs all of these need.
 * SQL behind an interface: SQLite for one host, PostgreSQL for more. Knows no ecosystem: attributes are JSON to it.
 *
 * A row names a blob only after `Pool.keep` resolved, so every blob named here is on disk; only an import names what it was told of.
 */
export interface Catalog extends AsyncDisposable {
  /** Made once, with the catalog, or taken over from an export. The pool's marker file carries it. A UUID. */
  readonly id: string

  /** Takes over another catalog's id. @returns whether it did: only while this one knows no revision, blob or publication */
  adoptId(id: string): Promise<boolean>

  /** Reads from one consistent state. */
  read<T>(work: (reader: CatalogReader) => Promise<T>): Promise<T>

  /** One transaction: all of it or nothing. `work` may run twice after a conflict, so it only talks to the writer. */
  write<T>(work: (writer: CatalogWriter) => Promise<T>): Promise<T>

  /**
   * Waits up to `waitMs`, then @throws ChantalError `LEASE_HELD` naming the holder.
   * Renewed in the background. A holder that died on this host is replaced at once, any other after {@link LeaseTerms.ttlMs}
   * without renewal; then `tookOverFrom` names it.
   */
  acquire(request: LeaseRequest): Promise<Lease>

  /** In order of arrival. */
  leases(): Promise<readonly LeaseHealth[]>

  /** Ends leases of the dead that nobody took over, whatever they held: nobody may ever ask for those again. @returns which */
  dropDeadLeases(acquiredBefore: Date): Promise<readonly LeaseHolder[]>

  /** In bytes, on the disk of the file or of the server. */
  size(): Promise<number>

  /**
   * Gives back what deleted rows took, and makes the planner's statistics anew. Nobody else is at work: the caller holds the lease `catalog`.
   * SQLite writes the file anew, which takes as much free space once more and keeps writers out meanwhile.
   */
  vacuum(): Promise<void>

  /** What differs from the schema that the migrations make, and what the database itself finds wrong with its file. */
  schemaFlaws(): Promise<readonly CatalogFlaw[]>
}

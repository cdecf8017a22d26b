import type { Json, JsonObject } from '../core/brand.ts'
import type {
  EcosystemId,
  RepositoryId,
  RepositoryMode,
  Revision,
  StoredFile,
  StoredPackage,
} from '../core/model.ts'
import type { RelativePath } from '../core/path.ts'

export interface RepositoryRecord {
  readonly id: RepositoryId
  readonly ecosystem: EcosystemId
  readonly mode: RepositoryMode
  /** `null` before the first sync. */
  readonly latest: Revision | null
  /** The engine's note of upstream at the latest revision; also updated by a sync that found nothing new. */
  readonly checkpoint: Json
}

/** What is known of any snapshot. */
export interface SnapshotFacts {
  /** Each once of its repository or view. */
  readonly name: string
  readonly createdAt: Date
  readonly description: string | null
  readonly labels: Readonly<Record<string, string>>
  /** `user@host`; `null` where it was made before that was noted. */
  readonly createdBy: string | null
  /** Kept whatever the retention policy says, until it is unpinned. */
  readonly isPinned: boolean
}

export interface SnapshotRecord extends SnapshotFacts {
  readonly repository: RepositoryId
  readonly revision: Revision
}

/** Freezes one revision of every member of a view. */
export interface ViewSnapshotRecord extends SnapshotFacts {
  readonly view: string
  /** In the order that the members had. */
  readonly revisions: readonly [Revision, ...Revision[]]
}

export type SnapshotName =
  | Pick<SnapshotRecord, 'repository' | 'name'>
  | Pick<ViewSnapshotRecord, 'view' | 'name'>

/** What needs a snapshot. */
export type SnapshotUse =
  /** A generation of this path that is on disk shows what it froze. */
  | { readonly kind: 'publication'; readonly path: RelativePath }
  /** A view's snapshot, `NAME@SNAPSHOT`, froze the same revision of the repository. */
  | { readonly kind: 'view snapshot'; readonly source: string }

export type PackageChange =
  | { readonly change: 'added'; readonly after: StoredPackage }
  | { readonly change: 'removed'; readonly before: StoredPackage }
  /** Same key, other identity. */
  | { readonly change: 'replaced'; readonly before: StoredPackage; readonly after: StoredPackage }

/** What changes in a published tree from one revision of a repository to another. */
export interface FileChanges {
  /** Files of the first, of packages and others, that no package of the second has under the same path. */
  readonly gone: readonly StoredFile[]
  /** Files of packages of the second that are not packages of the first: some may be there all the same, of one that came back as it was. */
  readonly came: readonly StoredFile[]
}

export type SyncStatus = 'synced' | 'unchanged' | 'partial' | 'failed'

export interface MissingFile {
  readonly path: string
  readonly url: string
  readonly reason: string
}

/** What changed a repository: its upstream, or a `package` command. */
export type ChangeKind = 'sync' | 'upload' | 'copy' | 'remove'

/** One run of `repo sync` or of a `package` command, as history keeps it. */
export interface SyncRecord {
  readonly repository: RepositoryId
  readonly kind: ChangeKind
  readonly startedAt: Date
  readonly finishedAt: Date
  readonly status: SyncStatus
  /** The repository's latest revision after it: a number, or `null`. */
  readonly revision: number | null
  readonly packages: number
  readonly added: number
  readonly removed: number
  readonly replaced: number
  readonly fetchedFiles: number
  readonly fetchedBytes: number
  readonly missing: readonly MissingFile[]
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
  readonly error: {
    readonly code: string
    readonly message: string
    readonly hint: string | null
    readonly details: JsonObject
  } | null
  /** Whose signature on the metadata was good; `null` where none was asked for. */
  readonly signedBy: string | null
}

/** A revision that a publication shows or has just shown. */
export interface SourceRef {
  readonly repository: RepositoryId
  readonly revision: number
  /** As the user named it: `ID`, `ID@SNAPSHOT`, `ID@TIME`. */
  readonly source: string
}

export interface GenerationRecord {
  readonly path: RelativePath
  readonly generation: string
  readonly publishedAt: Date
  readonly sources: readonly SourceRef[]
  readonly packages: number
  readonly files: number
  readonly signedBy: string | null
  /** Equal for equal input (revision, options, key): what makes publishing again `unchanged`. */
  readonly fingerprint: string
}

export interface PublicationRecord {
  readonly path: RelativePath
  /** The generation that clients see; `null` while the first is being made. */
  readonly current: GenerationRecord | null
  /** Set by a rollback: publishing is refused until `publish release`. */
  readonly heldSince: Date | null
}

import type { Brand, Json, JsonObject } from './brand.ts'
import type { BlobRef } from './bytes.ts'
import type { Expectation } from './digest.ts'
import type { PackageSignature } from './package-signature.ts'
import type { RelativePath } from './path.ts'

/** Name of a folder under `src/ecosystems`: `rpm`, `apt`, `apk`, `helm`, `pypi`. */
export type EcosystemId = Brand<string, 'EcosystemId'>

/** What makes a package unique in one repository, in the ecosystem's own notation (`bash-0:5.1.8-9.el9.x86_64`). */
export type PackageKey = Brand<string, 'PackageKey'>

/** A repository's `id` in the configuration. */
export type RepositoryId = Brand<string, 'RepositoryId'>

/** A repository's id and a view's name share this form and one namespace. */
export const namePattern = /^[a-z0-9][a-z0-9._-]*$/

/**
 * - `mirror`: upstream's files byte for byte, its signatures included.
 * - `filtered`: a selection of packages under metadata we generate and sign.
 * - `hosted`: no upstream; packages are uploaded.
 */
export type RepositoryMode = 'mirror' | 'filtered' | 'hosted'

/** An ecosystem's own note of how much of upstream it has seen: a repomd revision, a Release date, a PyPI serial. */
export type Checkpoint = Json

/** The facts every ecosystem shares. The rest is `Attributes`, which core never looks into. */
export interface PackageFacts<Attributes extends JsonObject = JsonObject> {
  readonly key: PackageKey
  readonly name: string
  /** Whole version in the ecosystem's notation, epoch and release included. */
  readonly version: string
  /** `null` where the ecosystem has none (Helm, sdists). */
  readonly architecture: string | null
  readonly builtAt: Date | null
  readonly attributes: Attributes
}

/** A file upstream offers and we may not hold yet. */
export interface UpstreamFile {
  /** Where it stands in the published tree. */
  readonly path: RelativePath
  /**
   * Where to get it: a reference relative to the repository's feed, not percent-encoded, tried at each of its mirrors;
   * or an absolute URL on another host (RPM's `xml:base`), which gets no credentials.
   */
  readonly location: string | URL
  /** Asked, as `location` would be, where upstream has nothing there. */
  readonly fallback?: string
  readonly expect: Expectation
  /** Without it the published tree is broken: it cannot be left out where upstream does not have it. */
  readonly isRequired?: boolean
  /** Upstream lists it, and it is normal that it does not have it: then the revision is whole without it. */
  readonly isOptional?: boolean
  /** Nothing says that upstream has it: a few mirrors without it speak for all, and lists of mirrors are long. */
  readonly isGuess?: boolean
}

/** A file in the pool and where it belongs in a repository. */
export interface StoredFile extends BlobRef {
  readonly path: RelativePath
}

/** A package as upstream lists it. The first file is the one clients install, and never optional; a Debian source package has more. */
export interface UpstreamPackage<Attributes extends JsonObject = JsonObject>
  extends PackageFacts<Attributes> {
  readonly files: readonly [UpstreamFile, ...UpstreamFile[]]
  /**
   * Equal for equal content: a digest over the index entry. The same key with another identity is a package
   * that upstream replaced.
   */
  readonly identity: string
  /** Packages of one group are versions of one thing, of which `only_latest_version` keeps the newest. */
  readonly versionGroup: string
}

/** A package that upstream lists as the latest revision holds it: nothing more of it had to be read. */
export interface UnchangedPackage {
  readonly key: PackageKey
  readonly isUnchanged: true
}

/** A package whose every file is in the pool. */
export interface StoredPackage<Attributes extends JsonObject = JsonObject> extends PackageFacts<Attributes> {
  readonly repository: RepositoryId
  readonly files: readonly [StoredFile, ...StoredFile[]]
  readonly identity: string
  /** What the last check of its signature came to; `null` where it was never checked. */
  readonly signature: PackageSignature | null
}

/** A package as a revision holds it. */
export interface RevisionPackage<Attributes extends JsonObject = JsonObject>
  extends StoredPackage<Attributes> {
  /** The number of the first revision that held it as it is. */
  readonly addedIn: number
}

/** Of a package of a revision, what tells it from others and says where it is listed: a third of the work of reading it whole. */
export type PackageOutline<Attributes extends JsonObject = JsonObject> = Pick<
  RevisionPackage<Attributes>,
  'repository' | 'key' | 'name' | 'version' | 'architecture' | 'attributes' | 'identity' | 'addedIn'
>

/**
 * One part of a package's native record, verbatim: for RPM `primary`, `filelists`, `other`; a deb822 stanza has one part.
 * Kept so that what is generated later loses nothing that upstream said.
 */
export interface NativeRecord {
  readonly key: PackageKey
  readonly part: string
  readonly bytes: Uint8Array
}

/** Which native records are asked for, and for how long. */
export interface RecordTerms {
  /**
   * Bytes last until the next are asked for. Their memory is given back at once then: much less work where there are hundreds of
   * megabytes.
   */
  readonly areBorrowed?: boolean
  /** Of these packages alone: pages of some thousand keys at most, in key order, each asked for when the one before is through. */
  readonly among?: Iterable<readonly PackageKey[]>
}

/**
 * A repository's whole content at one moment. Sealed once complete, then immutable.
 * `latest`, snapshots and publications only point at revisions, so making a snapshot copies nothing.
 */
export interface Revision {
  readonly repository: RepositoryId
  /** 1, 2, 3 … within its repository. */
  readonly number: number
  /** As it was synced: what a snapshot froze is published in this mode, whatever the configuration says by then. */
  readonly mode: RepositoryMode
  /** Whether there are native records of its packages, so that metadata can be generated. A mirror's has them where it is a member of a view. */
  readonly hasRecords: boolean
  readonly sealedAt: Date
  readonly packageCount: number
  /** In bytes; a file that two packages share counts once. */
  readonly totalSize: number
}

import type { z } from 'zod'
import type { JsonObject } from '../core/brand.ts'
import type { ByteSource } from '../core/bytes.ts'
import type { ChecksumAlgorithm, Expectation, Sha256 } from '../core/digest.ts'
import type { Reporter } from '../core/events.ts'
import type {
  Checkpoint,
  EcosystemId,
  NativeRecord,
  PackageFacts,
  PackageKey,
  PackageOutline,
  RecordTerms,
  RepositoryId,
  RepositoryMode,
  RevisionPackage,
  StoredFile,
  StoredPackage,
  UnchangedPackage,
  UpstreamFile,
  UpstreamPackage,
} from '../core/model.ts'
import type { PackageVerdict } from '../core/package-signature.ts'
import type { RelativePath } from '../core/path.ts'
import type { VersionOrder } from '../core/plan.ts'
import type { EarlierTree, PublicationSink } from '../core/publication.ts'
import type { PackageVerifier } from '../sign/package-verifier.ts'
import type { Signer } from '../sign/signer.ts'
import type { SignedBy, Verifier } from '../sign/verifier.ts'

/**
 * One kind of package repository. To add one: a folder beside this file, with the `Ecosystem`, its formats, fixtures
 * and an end-to-end test with the real client, and a line in `registry.ts`.
 *
 * An ecosystem says what upstream holds and what a published tree contains. It never downloads
 * packages, opens the database or writes to disk: the engine does, the same way for all.
 *
 * @typeParam Options what a user configures under the ecosystem's name
 * @typeParam Filters what a user configures under `filters.<name>`
 * @typeParam Attributes what the catalog keeps per package beyond {@link PackageFacts}
 */
export interface Ecosystem<
  Options extends object = object,
  Filters extends object = object,
  Attributes extends JsonObject = JsonObject,
> {
  readonly id: EcosystemId
  /** As users write it: `RPM`, `APT`, `Helm`. */
  readonly title: string
  readonly options: z.ZodType<Options>
  /** The key of its own filters in the configuration: `rpm`, `deb`. */
  readonly filterKey: string
  readonly filters: z.ZodType<Filters>
  /** Whether its metadata says when a package was built. Where it does not, a filter by that would keep nothing, and is a mistake. */
  readonly statesBuildTime: boolean
  /** Whether metalinks list its root document, which is then `repomd.xml`. Where they do not, a repository with one could never be read. */
  readonly hasMetalinks: boolean
  /** Options that do something in these modes alone, by key: to set one in another is a mistake. */
  readonly optionModes?: Readonly<Record<string, readonly RepositoryMode[]>>
  /** What its options, each sound in itself, ask for in vain of a repository in this mode. */
  optionMistakes?(options: Options, mode: RepositoryMode): readonly OptionMistake[]
  readonly versions: VersionOrder
  /** Which kind of key signs this ecosystem's metadata; `null` where clients check none. */
  readonly signing: Signer['kind'] | null
  /** Whether clients keep the signed metadata that they have where a path offers older: a verbatim tree cannot go back in their eyes. */
  readonly refusesOlder?: boolean
  /** Milliseconds by which the time of a generated tree may be ahead of a client's clock. Absent where clients do not look. */
  readonly futureToleranceMs?: number
  /**
   * Milliseconds from its publication for which clients take a generated tree; `null` without end. Publishing what is shown already makes it
   * anew once half of them are over: it would expire while nothing changes.
   */
  validityMs?(options: Options): number | null
  /** How its packages carry signatures of their own; `null` where they carry none. */
  readonly packageSignatures: PackageSignatures | null
  /** Parts of a package's native record without which no tree of its repository can be generated. */
  readonly requiredRecords: readonly string[]
  /**
   * Why bytes are not what a part of a package's native record is: one entry, which ends itself and holds nothing beside it; `null` where
   * they are. Asked of records that did not come from {@link readUpstream}: they go as they are into what is signed.
   */
  objectToRecord(part: string, bytes: Uint8Array): string | null
  /** Which part of a package's native record says where upstream has its file. Absent where that is always at its path below the feed. */
  readonly addresses?: PackageAddresses

  /** Architectures whose packages fit every machine, as a filter by architecture takes it: it never leaves them out for not naming them. */
  readonly universalArchitectures?: readonly string[]

  /** How files become packages of a `hosted` repository. Absent where packages cannot be uploaded. */
  readonly uploads?: PackageUploads<Options, Attributes>

  /** Whether its own filters keep a package. Generic filters are the engine's. */
  wants(pkg: UpstreamPackage<Attributes>, filters: Filters): boolean

  /**
   * Reads upstream's metadata and lists what it holds. Trusts nothing read: signatures first, then
   * checksums, then the format.
   * @throws ChantalError `UPSTREAM_INVALID`, `SIGNATURE_MISSING`, `SIGNATURE_INVALID`, and what `metadata.fetch` throws
   */
  readUpstream(request: ReadRequest<Options, Filters, Attributes>): Promise<UpstreamListing<Attributes>>

  /**
   * Gives `sink` every file of the published tree. Deterministic: equal input gives equal bytes,
   * so a publication can be compared, cached and tested against golden files.
   */
  publish(input: PublishInput<Options, Attributes>, sink: PublicationSink): Promise<void>

  /**
   * Gives `sink` the tree of several repositories as one: generated, whatever the members' modes. Nothing is left out because another
   * member has it too: clients choose among versions. As deterministic as {@link publish}.
   */
  publishView(input: ViewInput<Options, Attributes>, sink: PublicationSink): Promise<void>

  /**
   * Writes those files of a published tree that state its time, or sign what states it. With the others as `earlier` has them it is the tree
   * that `publish` would make of the same input now. Absent where only `publish` can tell.
   */
  renew?(input: RenewInput, sink: PublicationSink): Promise<void>
}

export interface OptionMistake {
  /** Below the ecosystem's options. */
  readonly path: readonly (string | number)[]
  readonly problem: string
  readonly hint: string
}

export interface PackageAddresses {
  readonly part: string
  /** `null` where upstream has it at its path. @throws ChantalError where the record is none of a package that was taken */
  read(record: Uint8Array): URL | null
}

/** Finds the signatures in a package's file, the one that clients install, and what they sign. */
export interface PackageSignatures {
  /**
   * A file that is no package at all has the verdict `bad`.
   * @param terms `mustCoverAll`: a good signature vouches for every byte, since nothing else does. Otherwise it may cover what
   * identifies the package, and signed metadata vouches for the rest by its checksum.
   */
  verify(
    file: PackageFile,
    verifier: PackageVerifier,
    terms: { readonly mustCoverAll: boolean },
  ): Promise<PackageVerdict>
}

/** Makes of a package's file what an upstream would have said of it: facts, its place in the tree, native records. */
export interface PackageUploads<Options extends object = object, Attributes extends JsonObject = JsonObject> {
  /** What names of package files end in, dot included. */
  readonly extensions: readonly string[]
  /** Checksums that {@link describe} needs beside SHA-256. */
  readonly checksums: readonly Exclude<ChecksumAlgorithm, 'sha256'>[]
  /**
   * Reads the file, all of it where it says itself what it should be: it is compared with that. Equal files under equal terms give
   * equal packages.
   * @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT`, `PATH_UNSAFE` for what is no such package; `USAGE_INVALID` for terms that
   *   the repository does not have
   */
  describe(file: UploadedFile, terms: UploadTerms<Options>): Promise<UploadedPackage<Attributes>>
}

export interface UploadedFile extends PackageFile {
  /** Without folders, as its uploader calls it. */
  readonly name: string
  /** Lower-case hex: SHA-256, and those that were asked for. */
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>
}

export interface UploadTerms<Options extends object = object> {
  readonly options: Options
  /** Where in the repository, as its uploader says it; `null` leaves it to the ecosystem. */
  readonly suite: string | null
  readonly component: string | null
  readonly now: Date
}

export interface UploadedPackage<Attributes extends JsonObject = JsonObject>
  extends PackageFacts<Attributes> {
  /** Where its file stands in the published tree. */
  readonly path: RelativePath
  readonly records: readonly Omit<NativeRecord, 'key'>[]
  /**
   * What clients need beside this package that no hosted repository has, as a warning says it after the number of packages: `that ...`.
   * Absent where they need nothing.
   */
  readonly shortcoming?: string
}

/** A package's file in the pool. */
export interface PackageFile {
  readonly size: number
  /** The first `maxBytes`, all of a smaller file: synchronous, which is many times cheaper than {@link read} for a few of them. */
  head(maxBytes: number): Uint8Array
  /** From `start` on, without it from the beginning. Reading may stop early. */
  read(start?: number): ByteSource
}

export interface ReadRequest<Options = object, Filters = object, Attributes extends JsonObject = JsonObject> {
  readonly repository: RepositoryId
  readonly options: Options
  readonly mode: RepositoryMode
  /** Whether native records are kept, since trees are generated: of this repository, or of a view that has it. */
  readonly keepsRecords: boolean
  /**
   * The ecosystem's own: a reader may leave out what they do not want, where telling needs the whole index entry. `null` where
   * there are none, and for a mirror, which holds everything.
   */
  readonly filters: Filters | null
  /** What the last successful read gave; `null` the first time, with `--force`, and where the configuration has changed. */
  readonly checkpoint: Checkpoint | null
  /**
   * What the last reading of this feed gave under this name: upstream is not to fall behind it, whatever the configuration says by now, and
   * also with `--force`. `null` where nothing was noted, and where the feed is another.
   */
  readonly newestSeen: Checkpoint
  /**
   * Those packages of the latest revision, for a reader that goes on listing what upstream does not list any more: with its `key` and
   * `identity` a package stays as it is. Empty where that revision has no native records, or there is none.
   */
  held(wants: (pkg: PackageFacts<Attributes>) => boolean): Promise<readonly StoredPackage<Attributes>[]>
  /**
   * Keys of the latest revision's packages by their identity: what upstream lists with the identity of one of them may be given as an
   * `UnchangedPackage`, without reading more of its entry. Empty where all has to be read: filters ask for more, the configuration
   * has changed, or there is no such revision.
   */
  unchanged(): Promise<ReadonlyMap<string, PackageKey>>
  readonly metadata: MetadataFetcher
  /** Opens the keys that upstream's signature is checked against, where there is one to check; `null` where nothing is verified. */
  readonly verifier: (() => Promise<Verifier>) | null
  readonly limits: ReadLimits
  /** What upstream's dates are compared with. The only clock a reader sees. */
  readonly now: Date
  readonly reporter: Reporter
  readonly signal: AbortSignal
}

/** Bytes that are read from upstream at most, where nothing trustworthy states a size. */
export interface ReadLimits {
  readonly rootDocument: number
  readonly metadata: number
  /** Decompressed, where no size is stated: this many times the compressed size, and at least {@link decompressedMinimum}. */
  readonly decompressedRatio: number
  readonly decompressedMinimum: number
  readonly package: number
}

export type UpstreamListing<Attributes extends JsonObject = JsonObject> =
  | { readonly status: 'unchanged' }
  | {
      readonly status: 'changed'
      readonly checkpoint: Checkpoint
      /** For the {@link ReadRequest.newestSeen} of later readings. Absent where nothing says which of two states is the newer. */
      readonly newestSeen?: Checkpoint
      readonly signedBy: SignedBy | null
      /** Each key once. Read once, to its end. */
      readonly packages: AsyncIterable<UpstreamPackage<Attributes> | UnchangedPackage>
      /** What else the revision holds, after `packages` was read: metadata (in the pool already), installer images (not yet). */
      files(): AsyncIterable<UpstreamFile | StoredFile>
      /** The native records of `wanted`, in upstream's order, each part of each once. After `packages` was read. */
      records(wanted: ReadonlySet<PackageKey>): AsyncIterable<NativeRecord>
    }

/** Fetches metadata into the pool and gives it back: fetched once, checked once, kept for `mirror` mode. */
export interface MetadataFetcher {
  /**
   * @param path relative to the feed, and where it stands in the published tree
   * @throws ChantalError `UPSTREAM_UNREACHABLE`, `UPSTREAM_REFUSED`, `NOT_FOUND`, `CHECKSUM_MISMATCH`, `SIZE_LIMIT`
   */
  fetch(path: RelativePath, expect: Expectation): Promise<FetchedFile>
  /**
   * As `fetch`, but `null` where upstream does not have it (404, 410; 403 as some stores answer for what is absent).
   * @param terms `isGuess` as of `UpstreamFile`, where the latest revision does not have it either
   */
  fetchOptional(
    path: RelativePath,
    expect: Expectation,
    terms?: { readonly isGuess?: boolean },
  ): Promise<FetchedFile | null>
}

export interface FetchedFile extends StoredFile {
  /** Whether these are the bytes that the latest revision holds under this path. */
  readonly isUnchanged: boolean
  /** The whole file; for root documents, whose size is limited. */
  bytes(): Promise<Uint8Array>
  stream(): ByteSource
}

export interface RenewInput {
  readonly mode: RepositoryMode
  readonly signer: Signer | null
  readonly now: Date
  /** A tree of the same revision, mode, options and key. */
  readonly earlier: EarlierTree
}

/** What is published of one repository: a revision. */
export interface RevisionContent<Options = object, Attributes extends JsonObject = JsonObject> {
  readonly repository: RepositoryId
  readonly options: Options
  readonly mode: RepositoryMode
  readonly packageCount: number
  /** In key order, a page at a time; may be asked for more than once. */
  outlines(): AsyncIterable<readonly PackageOutline<Attributes>[]>
  /**
   * In key order; may be asked for more than once.
   * @param among those alone: some thousand at most
   */
  packages(among?: readonly PackageKey[]): AsyncIterable<RevisionPackage<Attributes>>
  /** One part of the native record of every package, in key order; `null` for a package without that part. */
  records(
    part: string,
    terms?: RecordTerms,
  ): AsyncIterable<{ readonly key: PackageKey; readonly bytes: Uint8Array | null }>
  /** What the revision holds besides packages. */
  readonly files: readonly StoredFile[]
  read(digest: Sha256): ByteSource
}

/** On which terms something is published. */
export interface PublishTerms {
  /** Equal where equal packages give equal entries: of the same publisher, repositories and options. Hexadecimal. */
  readonly recipe: string
  /** A finished generation of the same, to repeat parts of; `null` does without. */
  readonly earlier: EarlierTree | null
  /** `null` publishes unsigned. */
  readonly signer: Signer | null
  /** The moment to write into metadata. The only clock a publisher sees. */
  readonly now: Date
  readonly limits: ReadLimits
  readonly reporter: Reporter
}

export interface PublishInput<Options = object, Attributes extends JsonObject = JsonObject>
  extends RevisionContent<Options, Attributes>,
    PublishTerms {}

/** A member of a view. Its native records are there, also where it is a mirror. */
export interface ViewMember<Options = object, Attributes extends JsonObject = JsonObject>
  extends RevisionContent<Options, Attributes> {
  /** Where its packages stand in the view's tree: paths of different members never clash. */
  readonly folder: RelativePath
}

export interface ViewInput<Options = object, Attributes extends JsonObject = JsonObject>
  extends PublishTerms {
  readonly view: string
  /** In the order of the configuration. */
  readonly members: readonly ViewMember<Options, Attributes>[]
}

import type { ChantalError } from '../core/errors.ts'
import type { FilterSettings } from '../core/filter.ts'
import type { EcosystemId, RepositoryId, RepositoryMode } from '../core/model.ts'
import type { RetentionPolicy } from '../core/retention.ts'
import type { Credentials, DownloadLimits, Feed, ProxySettings, TlsSettings } from '../download/downloader.ts'

export type { FilterSettings } from '../core/filter.ts'

/** The whole configuration, every part of it parsed and checked. Secrets are in it: `config show` prints the document, not this. */
export interface Settings {
  /** The files it was read from, the main one first. */
  readonly files: readonly string[]
  readonly database: DatabaseSettings
  readonly storage: StorageSettings
  readonly download: {
    readonly concurrency: number
    readonly perHost: number
    readonly bandwidth: number | null
  }
  readonly publish: { readonly keepGenerations: number; readonly graceMs: number }
  readonly limits: LimitSettings
  readonly repositories: readonly RepositorySettings[]
  readonly views: readonly ViewSettings[]
  /** What was translated from another spelling, and what else a user should know. */
  readonly notices: readonly ConfigurationNotice[]
}

/** What loads and a user should know, with its file, line and column. */
export interface ConfigurationNotice {
  readonly code: 'CONFIG_TRANSLATED' | 'CONFIG_FILE_MISSING'
  readonly message: string
}

export type DatabaseSettings =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgresql'; readonly url: URL; readonly password: string | null }

/** Absolute paths. */
export interface StorageSettings {
  readonly basePath: string
  readonly poolPath: string
  readonly publishedPath: string
}

/** Bytes that are read from upstream at most, where nothing trustworthy states a size. */
export interface LimitSettings {
  /** repomd.xml, InRelease, Release, index.yaml, a metalink. */
  readonly rootDocument: number
  readonly metadata: number
  /** Decompressed, where no size is stated: this many times the compressed size, and at least {@link decompressedMinimum}. */
  readonly decompressedRatio: number
  readonly decompressedMinimum: number
  readonly package: number
}

/** One repository as configured. */
export interface RepositorySettings {
  readonly id: RepositoryId
  readonly name: string | null
  readonly ecosystem: EcosystemId
  readonly enabled: boolean
  readonly mode: RepositoryMode
  /** `null` for `hosted`. */
  readonly feed: Feed | null
  readonly onMissing: 'fail' | 'skip'
  readonly tags: readonly string[]
  readonly credentials: Credentials
  readonly proxy: ProxySettings
  readonly tls: TlsSettings
  readonly download: DownloadLimits
  readonly verify: VerifySettings
  /** `null` publishes what is generated unsigned, with a warning. */
  readonly signing: SigningSettings | null
  readonly filters: FilterSettings
  /** `null` keeps every snapshot. */
  readonly retention: RetentionPolicy | null
  /** What the ecosystem's own schema made of the options under its name. */
  readonly options: object
  /** Files that it names and that could not be read. Whoever needs keys, certificates or secrets calls `assertUsable` first. */
  readonly problems: readonly ChantalError[]
}

export interface VerifySettings {
  readonly metadata: 'require' | 'off'
  readonly packages: 'require' | 'warn' | 'off'
  /** That signatures of packages may use although they can be forged. */
  readonly weakDigests: readonly ('sha1' | 'md5')[]
  /** Armored or binary public keys, as read. */
  readonly keys: readonly Uint8Array[]
  /** 40 or 64 upper-case hex digits: only these keys of `keys` count. Empty: all of them. */
  readonly fingerprints: readonly string[]
}

/** What is published under a key: a repository, or a view. */
export type SigningOwner = Pick<RepositorySettings | ViewSettings, 'signing' | 'problems'>

export interface SigningSettings {
  /** ASCII-armored private key, as read. */
  readonly key: string
  readonly passphrase: string | null
}

export interface ViewSettings {
  readonly name: string
  readonly description: string | null
  /** Its members, in order. */
  readonly repositories: readonly RepositoryId[]
  /** `null` publishes it unsigned, with a warning. */
  readonly signing: SigningSettings | null
  /** Of its own snapshots; `null` keeps them all. */
  readonly retention: RetentionPolicy | null
  /** As of {@link RepositorySettings}. */
  readonly problems: readonly ChantalError[]
}

import type { Catalog } from '../catalog/catalog.ts'
import type { RepositorySettings, Settings, SigningOwner } from '../config/settings.ts'
import type { Reporter } from '../core/events.ts'
import type { EcosystemId } from '../core/model.ts'
import type { Downloader } from '../download/downloader.ts'
import type { Wait } from '../download/retry.ts'
import type { Ecosystem } from '../ecosystems/ecosystem.ts'
import type { Pool } from '../pool/pool.ts'
import type { PoolMarker } from '../pool/pool-marker.ts'
import type { Publications } from '../publish/publications.ts'
import type { PackageVerifier } from '../sign/package-verifier.ts'
import type { Signer } from '../sign/signer.ts'
import type { Verifier } from '../sign/verifier.ts'
import type { Moment } from './moments.ts'

/** Everything a use case may touch. `main.ts` builds the real one; tests build one of temporary folders and a clock of their own. */
export interface AppContext {
  readonly settings: Settings
  readonly ecosystems: ReadonlyMap<EcosystemId, Ecosystem>
  readonly pool: Pool
  readonly poolMarker: PoolMarker
  readonly catalog: Catalog
  readonly downloader: Downloader
  readonly publications: Publications
  readonly reporter: Reporter
  /** Opens the keys of one repository, once for each set of keys. `null` where its settings ask for no verification. */
  readonly verifierOf: (repository: RepositorySettings) => Promise<Verifier | null>
  /** As `verifierOf`, for the signatures that packages carry. Of hosted repositories without keys it finds signatures, and trusts none. */
  readonly packageVerifierOf: (repository: RepositorySettings) => Promise<PackageVerifier | null>
  /** `null` where no signing key is configured. @throws ChantalError `CONFIG_INVALID`, `SIGNING_FAILED` */
  readonly signerOf: (owner: SigningOwner) => Promise<Signer | null>
  /** Who runs this: `user@host`. */
  readonly user: string
  /** The only source of time, so tests set it. */
  readonly now: () => Date
  /** Returns after that many milliseconds. Throws the signal's reason. */
  readonly wait: Wait
  /**
   * Has the process collect its garbage less often from now on, for work that makes much and keeps little: a tenth quicker, for some 40 MiB. A
   * first sync has no memory to spare for that.
   */
  readonly expectGarbage: () => void
  /** Told of each moment as it comes. Tests of crashes give one; the program has none. */
  readonly reached?: ((moment: Moment) => void) | undefined
}

/** One thing a user can ask for. CLI, REST API and web UI each parse into `Input` and show `Output`; none holds logic. */
export type UseCase<Input, Output> = (
  context: AppContext,
  input: Input,
  signal: AbortSignal,
) => Promise<Output>

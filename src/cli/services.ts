import type { AppContext } from '../app/context.ts'
import type { DoctorParts } from '../app/doctor/parts.ts'
import type { KeyMaker } from '../app/init/initialize.ts'
import type { ImportContext } from '../app/transfer/import-context.ts'
import type { CatalogDatabase } from '../catalog/catalog-database.ts'
import type { EcosystemConfigurations } from '../config/ecosystem-configuration.ts'
import type { Configuration } from '../config/load.ts'
import type { Settings } from '../config/settings.ts'
import type { ByteSource } from '../core/bytes.ts'
import type { Reporter } from '../core/events.ts'

/** The parts of the program, opened when a command needs them. `main.ts` gives the real ones. */
export interface CliServices {
  readonly version: string
  readonly now: () => Date
  /** Absolute; what relative names on the command line start from. */
  readonly workingFolder: string
  /** Name of this host. */
  readonly host: string
  /** A key to sign with. @throws as {@link KeyMaker} */
  readonly newSigningKey: KeyMaker
  /** @param file what `--config` names; `null` searches. @throws ChantalError `CONFIG_MISSING`, `CONFIG_INVALID` */
  loadConfiguration(file: string | null): Promise<Configuration>
  /** What the configuration may say of each ecosystem. */
  ecosystems(): Promise<EcosystemConfigurations>
  /** The database of the catalog as it is: nothing is made or migrated. */
  openDatabase(settings: Settings): Promise<CatalogDatabase>
  /** Opens what a doctor looks at; nothing is made, and what does not work is found later. */
  openDoctor(settings: Settings, reporter: Reporter): Promise<DoctorParts & AsyncDisposable>
  /** Opens catalog, pool and the rest. @throws ChantalError `CATALOG_UNAVAILABLE`, `CATALOG_TOO_NEW`, `POOL_UNMARKED`, ... */
  openContext(settings: Settings, reporter: Reporter, needs: Needs): Promise<AppContext & AsyncDisposable>
  /** Opens the catalog to import into; the pool waits until it is clear whose it is. @throws ChantalError `CATALOG_UNAVAILABLE`, `CATALOG_TOO_NEW` */
  openImport(settings: Settings): Promise<ImportContext & AsyncDisposable>
}

/**
 * `catalog`: what only looks up goes on without the pool, whose disk may be the one that is not mounted. `adoption`: the pool is to become
 * this catalog's.
 */
export type Needs = 'everything' | 'catalog' | 'adoption'

/** What a process gives to a command line: streams, terminal, environment. Tests give strings. */
export interface Terminal {
  readonly stdout: { write(text: string): void }
  readonly stderr: { write(text: string): void }
  /** Standard input. */
  readBytes(): ByteSource
  /** A result that is a file itself, to standard output. Ends early, as done, where its reader has gone. */
  writeBytes(bytes: ByteSource): Promise<void>
  /** Whether standard error is shown to a person; then progress is drawn. */
  readonly isInteractive: boolean
  readonly columns: number
  /** Of standard output, where that is shown to a person: tables leave out what does not fit. Without it they are whole. */
  readonly resultColumns?: number | undefined
  readonly useColor: boolean
  /** Asks a yes-or-no question; `null` where nobody is there to answer. */
  confirm(question: string): Promise<boolean | null>
}

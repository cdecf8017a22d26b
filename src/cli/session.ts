import type { AppContext } from '../app/context.ts'
import type { CatalogDatabase } from '../catalog/catalog-database.ts'
import type { Settings } from '../config/settings.ts'
import type { ByteSource } from '../core/bytes.ts'
import { ChantalError } from '../core/errors.ts'
import type { Reporter } from '../core/events.ts'
import type { Format } from './output.ts'
import { Output } from './output.ts'
import { renderCauses, renderError } from './render/error.ts'
import { createReporter, type ProgressKind } from './render/progress.ts'
import type { CliServices, Needs, Terminal } from './services.ts'

export interface GlobalOptions {
  readonly config?: string
  readonly format: Format
  readonly json?: boolean
  readonly progress: ProgressKind
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly color: boolean
}

/** One run of one command: its global options, and the parts it opens. */
export class Session implements AsyncDisposable {
  readonly output: Output
  readonly reporter: Reporter & Disposable
  readonly signal: AbortSignal
  readonly services: CliServices
  /** What `--config` names. */
  readonly configFile: string | null
  readonly #terminal: Terminal
  readonly #options: GlobalOptions
  #settings: Settings | null = null
  #context: (AppContext & AsyncDisposable) | null = null

  constructor(options: GlobalOptions, services: CliServices, terminal: Terminal, signal: AbortSignal) {
    this.reporter = createReporter(options, terminal)
    this.output = new Output(options.json ? 'json' : options.format, terminal, {
      columns: options.verbose ? undefined : terminal.resultColumns,
      // The bar must not stand where results are about to be written.
      beforeWriting: () => this.reporter[Symbol.dispose](),
    })
    this.#options = options
    this.configFile = options.config ?? null
    this.services = services
    this.signal = signal
    this.#terminal = terminal
  }

  /** The configuration; its notices are shown once. @throws ChantalError `CONFIG_MISSING`, `CONFIG_INVALID` */
  async settings(): Promise<Settings> {
    if (this.#settings) return this.#settings
    this.#settings = (await this.services.loadConfiguration(this.configFile)).settings
    for (const notice of this.#settings.notices) this.reporter.report({ type: 'warning', ...notice })
    return this.#settings
  }

  /** Catalog, pool and the rest, opened once. @throws ChantalError as `settings`, `CATALOG_UNAVAILABLE`, `POOL_UNMARKED` */
  async context(): Promise<AppContext> {
    return this.#open('everything')
  }

  /** For what only looks up: a pool that is not there does not keep it from answering. @throws as `context`, but `POOL_UNMARKED` */
  async catalogContext(): Promise<AppContext> {
    return this.#open('catalog')
  }

  /** For making a pool this catalog's, whoever had it. @throws as `catalogContext` */
  async adoptionContext(): Promise<AppContext> {
    return this.#open('adoption')
  }

  /** The catalog's database as it is, for work on the database itself. @throws as `settings` */
  async database(): Promise<CatalogDatabase> {
    return this.services.openDatabase(await this.settings())
  }

  /**
   * An error beside results, for people; results for machines carry it themselves.
   * @param subject whose it is, where several could have one
   */
  showError(error: ChantalError, subject: string | null = null): void {
    if (this.output.format === 'json') return
    this.reporter[Symbol.dispose]()
    const useColor = this.#options.color && this.#terminal.useColor
    this.#terminal.stderr.write(renderError(error, useColor, subject))
    if (this.#options.verbose) this.#terminal.stderr.write(renderCauses(error))
  }

  /** Standard input. */
  readBytes(): ByteSource {
    return this.#terminal.readBytes()
  }

  /** A result that is a file itself, in place of the shown one. */
  async writeBytes(bytes: ByteSource): Promise<void> {
    this.reporter[Symbol.dispose]()
    await this.#terminal.writeBytes(bytes)
  }

  /** What to do next, for a person who is looking on. */
  suggest(sentence: string): void {
    if (this.#terminal.isInteractive && this.output.format === 'table')
      this.reporter.report({ type: 'notice', message: sentence })
  }

  async #open(needs: Needs): Promise<AppContext> {
    this.#context ??= await this.services.openContext(await this.settings(), this.reporter, needs)
    return this.#context
  }

  /**
   * Asks before something is destroyed.
   * @throws ChantalError `USAGE_INVALID` where nobody can be asked and `--yes` was not given; `INTERRUPTED` where the answer is no
   */
  async confirm(question: string, isAgreed: boolean | undefined): Promise<void> {
    if (isAgreed) return
    const answer = await this.#terminal.confirm(question)
    if (answer === null) {
      throw new ChantalError('USAGE_INVALID', `not done: ${question}`, {
        hint: 'Give --yes to agree, or --dry-run to see what would happen.',
      })
    }
    if (!answer) throw new ChantalError('INTERRUPTED', 'nothing was changed')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reporter[Symbol.dispose]()
    await this.#context?.[Symbol.asyncDispose]()
  }
}

import type { RepeatedRuns } from '../../codec/repeated-runs.ts'
import type { StoredPackage } from '../../core/model.ts'
import type { PublicationSink } from '../../core/publication.ts'
import type { AptAttributes } from './attributes.ts'
import { writeCompanions } from './companions.ts'
import { serializeRelease } from './formats/release-writer.ts'
import { serializeStanza } from './formats/stanza-writer.ts'
import { IndexFile, put, type SuiteSink } from './index-file.ts'
import { PublishedNames } from './published-names.ts'
import type { AptPublishInput } from './publisher.ts'
import { releaseFields } from './release-fields.ts'
import { writeRelease } from './signed-release.ts'
import type { StoredSuite } from './stored-suites.ts'
import { type Component, publishedScope } from './suite-indexes.ts'
import { inSuite, type SuitePlace } from './suites.ts'

/** A suite of a generated tree, in the making: its indexes while packages come, the rest at the end. */
export class SuiteTree {
  readonly place: SuitePlace
  readonly #input: AptPublishInput
  readonly #stored: StoredSuite | null
  readonly #to: SuiteSink
  readonly #sink: PublicationSink
  readonly #indexes = new Map<string, IndexFile>()
  readonly #components = new Map<string, Component>()
  readonly #architectures: Set<string>
  readonly #names = new PublishedNames()
  readonly #hasTranslations: boolean

  constructor(
    input: AptPublishInput,
    sink: PublicationSink,
    runs: RepeatedRuns,
    suite: {
      readonly place: SuitePlace
      readonly stored: StoredSuite | null
      /** Where no upstream says which there are. */
      readonly architectures: readonly string[] | null
    },
  ) {
    const { place, stored } = suite
    const { options } = input
    this.place = place
    this.#input = input
    this.#stored = stored
    this.#sink = sink
    this.#to = { place, sink, compression: options.compression, runs, listed: [] }
    this.#hasTranslations = stored?.files.some(({ index }) => index.kind === 'translation') ?? false
    const scope = stored
      ? publishedScope(place, stored.release, options)
      : {
          components: place.isFlat
            ? [{ name: '', folder: '' }]
            : (options.components ?? ['main']).map((name) => ({ name, folder: name })),
          architectures: suite.architectures ?? [],
        }
    this.#architectures = new Set(scope.architectures)
    for (const component of scope.components) this.#openComponent(component)
  }

  async add(pkg: StoredPackage<AptAttributes>, stanza: Uint8Array): Promise<void> {
    const { attributes, key } = pkg
    const component = this.#componentOf(attributes.component)
    this.#names.add(component.folder, pkg, this.#hasTranslations ? stanza : null)
    for (const name of this.#indexNames(component, attributes)) {
      const full = this.#index(name).add(key, stanza)
      if (full) await full
    }
  }

  async finish(): Promise<void> {
    for (const index of this.#indexes.values()) await index.finish()
    if (this.#stored) await writeCompanions(this.#input, this.#stored, this.#names, this.#to)
    const fields = releaseFields(
      {
        place: this.place,
        upstream: this.#stored?.release ?? null,
        components: [...this.#components.values()].map(({ name }) => name),
        architectures: this.#publishedArchitectures(),
        hasSeparateAllIndex: this.#indexArchitectures().includes('all'),
      },
      this.#input.options,
      this.#input,
    )
    await this.#writeReleasesOfIndexes(new Map(fields))
    const listed = this.#to.listed.toSorted((a, b) => (a.path < b.path ? -1 : 1))
    const text = serializeRelease(fields, listed)
    await writeRelease((name) => inSuite(this.place, name), text, this.#input, this.#sink)
  }

  /** Waits until nothing is written any more. */
  async abandon(reason: unknown): Promise<void> {
    for (const index of this.#indexes.values()) await index.abandon(reason)
  }

  /** What a client asks for has to be there although it is empty. */
  #openComponent(component: Component): void {
    this.#components.set(component.name, component)
    const { sources } = this.#input.options
    if (this.place.isFlat) {
      this.#index('Packages')
      if (sources) this.#index('Sources')
      return
    }
    for (const architecture of this.#architectures)
      this.#index(`${component.folder}/binary-${architecture}/Packages`)
    if (sources) this.#index(`${component.folder}/source/Sources`)
  }

  #componentOf(name: string): Component {
    const known = this.#components.get(name)
    if (known) return known
    // A snapshot may hold one that is not configured any more.
    const scope = this.#stored && publishedScope(this.place, this.#stored.release, null)
    const component = scope?.components.find((each) => each.name === name) ?? { name, folder: name }
    this.#openComponent(component)
    return component
  }

  #indexNames({ folder }: Component, { kind, indexes }: AptAttributes): readonly string[] {
    if (this.place.isFlat) return [kind === 'source' ? 'Sources' : 'Packages']
    if (kind === 'source') return [`${folder}/source/Sources`]
    const installer = kind === 'udeb' ? 'debian-installer/' : ''
    return this.#expanded(indexes).map((name) => `${folder}/${installer}binary-${name}/Packages`)
  }

  /** Without an upstream that keeps packages for all architectures apart, they stand in the index of each. */
  #expanded(indexes: readonly string[]): readonly string[] {
    return this.#stored === null && indexes.includes('all') ? [...this.#architectures] : indexes
  }

  #index(name: string): IndexFile {
    const known = this.#indexes.get(name)
    if (known) return known
    const made = new IndexFile(this.#to, name)
    this.#indexes.set(name, made)
    return made
  }

  #publishedArchitectures(): readonly string[] {
    if (this.place.isFlat) return this.#stored?.release.architectures ?? [...this.#architectures]
    const found = new Set(this.#indexArchitectures())
    // Lists of files are apart even where packages are not, and clients look for them where this is named.
    if (this.#stored?.release.architectures.includes('all')) found.add('all')
    return [...found].sort()
  }

  #indexArchitectures(): readonly string[] {
    return [...this.#indexes.keys()].flatMap((name) => /\/binary-([^/]+)\//.exec(name)?.[1] ?? [])
  }

  /** Installers and some older tools look for one beside each index. */
  async #writeReleasesOfIndexes(fields: ReadonlyMap<string, string>): Promise<void> {
    for (const name of this.#indexes.keys()) {
      const [, folder = '', installer = '', part = ''] =
        /^(.*?)(\/debian-installer)?\/(binary-[^/]+|source)\/[^/]+$/.exec(name) ?? []
      if (part === '') continue
      const value = (field: string, called = field) => {
        const text = fields.get(field)
        return text === undefined ? [] : [[called, text] as const]
      }
      const stanza = serializeStanza([
        ...value('Suite', 'Archive'),
        ...value('Origin'),
        ...value('Label'),
        ...value('Version'),
        ...value('Acquire-By-Hash'),
        ['Component', folder],
        ['Architecture', part.replace(/^binary-/, '')],
      ])
      await put(this.#to, `${folder}${installer}/${part}/Release`, stanza)
    }
  }
}

/** The architectures that uploaded packages are for, and those that are configured. There is always one besides `all`. */
export async function architecturesOf(input: AptPublishInput): Promise<readonly string[]> {
  const found = new Set(input.options.architectures ?? [])
  for await (const { architecture, attributes } of input.packages())
    if (architecture !== null && attributes.kind !== 'source') found.add(architecture)
  found.delete('all')
  return found.size > 0 ? [...found].sort() : ['amd64']
}

import type { DocumentNotes } from '../../codec/runs/document-notes.ts'
import type { EntryPage } from '../../codec/runs/entry-ids.ts'
import type { PackageOutline } from '../../core/model.ts'
import type { PublicationSink } from '../../core/publication.ts'
import type { PublishTerms } from '../ecosystem.ts'
import type { AptAttributes } from './attributes.ts'
import { type MemberSuite, writeCompanions } from './companions.ts'
import type { IndexKind } from './formats/index-path.ts'
import { serializeRelease } from './formats/release-writer.ts'
import { serializeStanza } from './formats/stanza-writer.ts'
import { IndexFile, put, type SuiteSink } from './index-file.ts'
import { PublishedNames } from './published-names.ts'
import type { AptMember } from './publisher.ts'
import { releaseFields } from './release-fields.ts'
import { writeRelease } from './signed-release.ts'
import type { StoredSuite } from './stored-suites.ts'
import { type Component, publishedScope } from './suite-indexes.ts'
import { inSuite, type SuitePlace } from './suites.ts'

/** What is pruned to the packages that are published. */
const prunedKinds: ReadonlySet<IndexKind> = new Set(['translation', 'contents', 'commands', 'appstream'])

/** A package and the indexes that list it. */
export interface Placement {
  readonly pkg: PackageOutline<AptAttributes>
  /** Where it stands among the entries. */
  readonly page: EntryPage
  readonly index: number
  readonly component: Component
  readonly indexes: readonly IndexFile[]
  /** Whether the tree before has its stanza in each of them. */
  readonly isHeld: boolean
}

/** A suite of a generated tree, in the making: its indexes while packages come, the rest at the end. */
export class SuiteTree {
  readonly place: SuitePlace
  readonly #terms: PublishTerms
  /** Whose tree it is, where no upstream says. */
  readonly #owner: string
  readonly #to: SuiteSink
  readonly #sink: PublicationSink
  /** The repositories that it is made of, in order. */
  readonly #members = new Map<AptMember, StoredSuite | null>()
  readonly #indexes = new Map<string, IndexFile>()
  /** By folder. */
  readonly #components = new Map<string, Component>()
  readonly #architectures = new Set<string>()
  readonly #names = new PublishedNames()
  /** Whether something is pruned to what is published. */
  #needsNames = false
  #hasTranslations = false
  #hasSources = false

  constructor(
    terms: PublishTerms,
    tree: {
      readonly owner: string
      readonly place: SuitePlace
      readonly sink: PublicationSink
      readonly notes: DocumentNotes
      readonly compression: SuiteSink['compression']
    },
  ) {
    const { place, sink, notes, compression } = tree
    this.place = place
    this.#terms = terms
    this.#owner = tree.owner
    this.#sink = sink
    this.#to = { place, sink, compression, notes, listed: [] }
  }

  /** Before {@link begin}: a repository has this suite. */
  join(member: AptMember, stored: StoredSuite | null): void {
    const { options } = member
    this.#members.set(member, stored)
    if (options.sources) this.#hasSources = true
    if (stored?.files.some(({ index }) => index.kind === 'translation')) this.#hasTranslations = true
    if (stored?.files.some(({ index }) => prunedKinds.has(index.kind))) this.#needsNames = true
    const names = options.components ?? ['main']
    const scope = stored
      ? publishedScope(stored.place, stored.release, options)
      : {
          components: this.place.isFlat
            ? [{ name: '', folder: '' }]
            : names.map((name) => ({ name, folder: name })),
          architectures: [],
        }
    this.offer(scope.architectures)
    for (const component of scope.components)
      if (!this.#components.has(component.folder)) this.#components.set(component.folder, component)
  }

  /** Before {@link begin}: has indexes for these architectures, packages or not. */
  offer(architectures: readonly string[]): void {
    for (const name of architectures) this.#architectures.add(name)
  }

  /** What a client asks for has to be there although it is empty. */
  begin(): void {
    // Packages for all architectures stand in the indexes of some, and no upstream says of which.
    const isHosted = this.#members.values().every((stored) => stored === null)
    if (isHosted && this.#architectures.size === 0) this.offer(['amd64'])
    for (const component of this.#components.values()) this.#openComponent(component)
  }

  /** Where a package goes. */
  placementOf(
    member: AptMember,
    pkg: PackageOutline<AptAttributes>,
    entry: { readonly page: EntryPage; readonly index: number },
  ): Placement {
    const { attributes } = pkg
    const stored = this.#members.get(member) ?? null
    const component = this.#componentOf(attributes.component, stored)
    const indexes = this.#indexNames(component, attributes, stored).map((name) => this.#index(name))
    const { page, index } = entry
    const isHeld = indexes.length > 0 && indexes.every((file) => file.has(page, index))
    return { pkg, page, index, component, indexes, isHeld }
  }

  /** @param stanza `null` where it is held */
  add(placement: Placement, stanza: Uint8Array | null): Promise<void> | void {
    const [first, ...rest] = placement.indexes
    if (first && rest.length === 0 && !this.#needsNames)
      return first.add(placement.page, placement.index, stanza)
    return this.#addToAll(placement, stanza)
  }

  async #addToAll(
    { pkg, page, index, component, indexes }: Placement,
    stanza: Uint8Array | null,
  ): Promise<void> {
    const [first] = indexes
    if (this.#needsNames) {
      const described = this.#hasTranslations
        ? (stanza ?? (first ? await first.stanzaOf(page, index) : null))
        : null
      this.#names.add(component.folder, pkg, described)
    }
    for (const file of indexes) {
      const pending = file.add(page, index, stanza)
      if (pending) await pending
    }
  }

  async finish(): Promise<void> {
    for (const index of this.#indexes.values()) await index.finish()
    const suites = [...this.#members].flatMap(([member, stored]): MemberSuite[] =>
      stored ? [{ member, stored }] : [],
    )
    await writeCompanions(suites, this.#terms, this.#names, this.#to)
    const [first] = this.#members.keys()
    if (!first) throw new Error('a suite of no repository')
    const fields = releaseFields(
      {
        place: this.place,
        upstream: suites[0]?.stored.release ?? null,
        isMoved: suites.some(({ stored }) => stored.place.folder !== this.place.folder),
        components: [...this.#components.values()].map(({ name }) => name),
        architectures: this.#publishedArchitectures(),
        hasSeparateAllIndex: this.#indexArchitectures().includes('all'),
      },
      (suites[0]?.member ?? first).options,
      { repository: this.#owner, now: this.#terms.now },
    )
    await this.#writeReleasesOfIndexes(new Map(fields))
    const listed = this.#to.listed.toSorted((a, b) => (a.path < b.path ? -1 : 1))
    const text = serializeRelease(fields, listed)
    await writeRelease((name) => inSuite(this.place, name), text, this.#terms, this.#sink)
  }

  /** Waits until nothing is written any more. */
  async abandon(reason: unknown): Promise<void> {
    for (const index of this.#indexes.values()) await index.abandon(reason)
  }

  #openComponent({ folder }: Component): void {
    if (this.place.isFlat) {
      this.#index('Packages')
      if (this.#hasSources) this.#index('Sources')
      return
    }
    for (const architecture of this.#architectures) this.#index(`${folder}/binary-${architecture}/Packages`)
    if (this.#hasSources) this.#index(`${folder}/source/Sources`)
  }

  #componentOf(name: string, stored: StoredSuite | null): Component {
    // Two members may call one folder by different names.
    const known = this.#components.get(name) ?? this.#components.values().find((each) => each.name === name)
    if (known) return known
    const scope = stored && publishedScope(stored.place, stored.release, null)
    const component = scope?.components.find((each) => each.name === name) ?? { name, folder: name }
    const same = this.#components.get(component.folder)
    if (same) return same
    // A snapshot may hold one that is not configured any more.
    this.#components.set(component.folder, component)
    this.#openComponent(component)
    return component
  }

  #indexNames(
    { folder }: Component,
    { kind, indexes }: AptAttributes,
    stored: StoredSuite | null,
  ): readonly string[] {
    if (this.place.isFlat) return [kind === 'source' ? 'Sources' : 'Packages']
    if (kind === 'source') return [`${folder}/source/Sources`]
    const installer = kind === 'udeb' ? 'debian-installer/' : ''
    const names = stored === null && indexes.includes('all') ? this.#indexesOfAll() : indexes
    return names.map((name) => `${folder}/${installer}binary-${name}/Packages`)
  }

  /** Where no upstream keeps packages for all architectures apart, they stand in the index of each. */
  #indexesOfAll(): readonly string[] {
    return this.#architectures.has('all') ? ['all'] : [...this.#architectures]
  }

  #index(name: string): IndexFile {
    const known = this.#indexes.get(name)
    if (known) return known
    const made = new IndexFile(this.#to, name)
    this.#indexes.set(name, made)
    return made
  }

  #publishedArchitectures(): readonly string[] {
    const upstreams = [...this.#members.values()].flatMap((stored) => stored?.release.architectures ?? [])
    if (this.place.isFlat) return [...new Set(upstreams.length > 0 ? upstreams : this.#architectures)]
    const found = new Set(this.#indexArchitectures())
    // Lists of files are apart even where packages are not, and clients look for them where this is named.
    if (upstreams.includes('all')) found.add('all')
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

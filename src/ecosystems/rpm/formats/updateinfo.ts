import { childrenOf, childText, readXmlRecords, type XmlElement, type XmlPart } from '../../../codec/xml.ts'
import type { ByteSource } from '../../../core/bytes.ts'
import { type Checksum, parseChecksum } from '../../../core/digest.ts'
import { formatNevra, type Nevra, parseRpmFileName } from './nevra.ts'

/** An erratum as updateinfo.xml lists it. Texts are trimmed; `null` where there is none. */
export interface Advisory {
  /** Not unique: upstreams list an id twice, and in several repositories. */
  readonly id: string
  /** `security`, `bugfix`, `enhancement`, `newpackage`, or what upstream invents. */
  readonly type: string | null
  readonly status: string | null
  readonly version: string | null
  readonly from: string | null
  readonly title: string | null
  readonly severity: string | null
  readonly summary: string | null
  readonly description: string | null
  readonly rights: string | null
  readonly solution: string | null
  readonly release: string | null
  readonly pushCount: string | null
  readonly issuedAt: Date | null
  readonly updatedAt: Date | null
  readonly rebootSuggested: boolean
  readonly references: readonly AdvisoryReference[]
  /** `CVE-2021-3520`, each once, from the references. */
  readonly cves: readonly string[]
  readonly collections: readonly AdvisoryCollection[]
}

export interface AdvisoryReference {
  readonly type: string | null
  readonly id: string | null
  readonly href: string | null
  readonly title: string | null
}

export interface AdvisoryCollection {
  readonly short: string | null
  readonly name: string | null
  readonly module: AdvisoryModule | null
  readonly packages: readonly AdvisoryPackage[]
}

export interface AdvisoryModule {
  readonly name: string
  readonly stream: string
  readonly version: string
  readonly context: string
  readonly architecture: string
}

export interface AdvisoryPackage extends Nevra {
  /** Where the source package is, in words of upstream's: a file name or a URL. */
  readonly source: string | null
  readonly fileName: string | null
  /** Those whose algorithm is known. Of the file upstream had in mind, which may have been signed anew since. */
  readonly checksums: readonly Checksum[]
  readonly rebootSuggested: boolean
  readonly restartSuggested: boolean
  readonly reloginSuggested: boolean
}

/**
 * Reads updateinfo.xml one advisory at a time.
 * @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT` for one advisory above 16 MiB
 * @see createrepo_c, `updateinfo.h`
 */
export async function* readAdvisories(source: ByteSource): AsyncGenerator<Advisory, void, undefined> {
  for await (const part of readUpdateinfo(source)) {
    if (part.kind === 'record' && part.element.name === 'update') yield readAdvisory(part.element)
  }
}

/**
 * The document as it is written, in parts: advisories are the records called `update`.
 * @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT` for one advisory above 16 MiB
 */
export function readUpdateinfo(source: ByteSource): AsyncGenerator<XmlPart, void, undefined> {
  return readXmlRecords(source, ['updates', 'updateinfo'], 'updateinfo.xml')
}

/**
 * Reads updateinfo.xml to its end, an advisory at a time, for nothing but whether it can be read.
 * @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT` for one advisory above 16 MiB
 */
export async function checkUpdateinfo(source: ByteSource): Promise<void> {
  for await (const _ of readUpdateinfo(source));
}

/** The `<package>` elements of an `<update>`, by collection. */
export function advisoryCollections(
  update: XmlElement,
): readonly { readonly collection: XmlElement; readonly packages: readonly XmlElement[] }[] {
  return childrenOf(update, 'pkglist')
    .flatMap((pkglist) => childrenOf(pkglist, 'collection'))
    .map((collection) => ({ collection, packages: childrenOf(collection, 'package') }))
}

/** `name-epoch:version-release.arch` of a `<package>`, epoch 0 where upstream leaves it out. */
export function advisoryNevra(element: XmlElement): string {
  return formatNevra(nevraOf(element))
}

function readAdvisory(update: XmlElement): Advisory {
  const references = childrenOf(update, 'references')
    .flatMap((list) => childrenOf(list, 'reference'))
    .map((reference) => ({
      type: attribute(reference, 'type'),
      id: attribute(reference, 'id'),
      href: attribute(reference, 'href'),
      title: attribute(reference, 'title'),
    }))
  return {
    id: childText(update, 'id') ?? '',
    type: attribute(update, 'type'),
    status: attribute(update, 'status'),
    version: attribute(update, 'version'),
    from: attribute(update, 'from'),
    title: childText(update, 'title'),
    severity: childText(update, 'severity'),
    summary: childText(update, 'summary'),
    description: childText(update, 'description'),
    rights: childText(update, 'rights'),
    solution: childText(update, 'solution'),
    release: childText(update, 'release'),
    pushCount: childText(update, 'pushcount'),
    issuedAt: dateOf(update, 'issued'),
    updatedAt: dateOf(update, 'updated'),
    rebootSuggested: isSuggested(update, 'reboot_suggested'),
    references,
    cves: cvesOf(references),
    collections: advisoryCollections(update).map(({ collection, packages }) => ({
      short: attribute(collection, 'short'),
      name: childText(collection, 'name'),
      module: moduleOf(collection),
      packages: packages.map(readPackage),
    })),
  }
}

function readPackage(element: XmlElement): AdvisoryPackage {
  return {
    ...nevraOf(element),
    source: attribute(element, 'src'),
    fileName: childText(element, 'filename'),
    checksums: childrenOf(element, 'sum').flatMap((sum) => checksumOf(sum)),
    rebootSuggested: isSuggested(element, 'reboot_suggested'),
    restartSuggested: isSuggested(element, 'restart_suggested'),
    reloginSuggested: isSuggested(element, 'relogin_suggested'),
  }
}

function nevraOf(element: XmlElement): Nevra {
  const [name, version, release, architecture] = ['name', 'version', 'release', 'arch'].map((part) =>
    attribute(element, part),
  )
  const epoch = attribute(element, 'epoch') ?? '0'
  if (name && version && release && architecture) return { name, epoch, version, release, architecture }
  const named = parseRpmFileName(childText(element, 'filename') ?? '')
  return {
    name: name ?? named?.name ?? '',
    epoch,
    version: version ?? named?.version ?? '',
    release: release ?? named?.release ?? '',
    architecture: architecture ?? named?.architecture ?? '',
  }
}

function moduleOf(collection: XmlElement): AdvisoryModule | null {
  const [module] = childrenOf(collection, 'module')
  if (!module) return null
  return {
    name: attribute(module, 'name') ?? '',
    stream: attribute(module, 'stream') ?? '',
    version: attribute(module, 'version') ?? '',
    context: attribute(module, 'context') ?? '',
    architecture: attribute(module, 'arch') ?? '',
  }
}

function cvesOf(references: readonly AdvisoryReference[]): readonly string[] {
  const cves = new Set<string>()
  for (const { type, id, href, title } of references) {
    // Some upstreams number their CVE references and name the CVE in the title.
    const places = type?.toLowerCase() === 'cve' ? [id, title, href] : [/^CVE-/i.test(id ?? '') ? id : null]
    const found = places
      .map((place) => /CVE-\d{4}-\d{4,}/i.exec(place ?? '')?.[0])
      .find((cve) => cve !== undefined)
    if (found !== undefined) cves.add(found.toUpperCase())
  }
  return [...cves]
}

function checksumOf(sum: XmlElement): readonly Checksum[] {
  try {
    return [parseChecksum(attribute(sum, 'type') ?? '', sum.text)]
  } catch {
    // A checksum that is wrong or unknown says nothing; the advisory still holds.
    return []
  }
}

function attribute(element: XmlElement, name: string): string | null {
  const value = element.attributes.get(name)?.trim()
  return value === undefined || value === '' ? null : value
}

/** `<reboot_suggested/>` and `<reboot_suggested>True</reboot_suggested>` say yes. */
function isSuggested(element: XmlElement, name: string): boolean {
  const [flag] = childrenOf(element, name)
  return flag !== undefined && !/^(?:false|no|0)$/i.test(flag.text.trim())
}

function dateOf(update: XmlElement, name: string): Date | null {
  const [element] = childrenOf(update, name)
  return element ? parseAdvisoryDate(attribute(element, 'date') ?? element.text) : null
}

/** `2019-03-29`, `2019-03-29 01:02[:03]`, with `UTC` or not, or seconds since 1970; all in UTC. `null` for anything else. */
export function parseAdvisoryDate(text: string): Date | null {
  const trimmed = text.trim()
  if (/^\d{1,12}$/.test(trimmed)) return new Date(Number(trimmed) * 1000)
  const parts =
    /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?)?(?: ?(?:UTC|GMT|Z|\+00:?00))?$/.exec(
      trimmed,
    )
  if (!parts?.[1]) return null
  const date = new Date(`${parts[1]}T${parts[2] ?? '00:00'}Z`)
  return Number.isNaN(date.getTime()) ? null : date
}

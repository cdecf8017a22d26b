import {
  childrenOf,
  childText,
  decodeXml,
  readXmlText,
  withoutElements,
  type XmlElement,
} from '../../../codec/xml.ts'
import { ChantalError } from '../../../core/errors.ts'

/** Package groups and what is made of them, in the order of the file. */
export interface Comps {
  readonly groups: readonly CompsGroup[]
  readonly categories: readonly CompsCategory[]
  readonly environments: readonly CompsEnvironment[]
  readonly langpacks: readonly CompsLangpack[]
}

export interface CompsGroup {
  readonly id: string
  readonly name: string | null
  readonly description: string | null
  /** `null` where the file does not say; clients then take false. */
  readonly isDefault: boolean | null
  /** `null` where the file does not say; clients then take true. */
  readonly isUserVisible: boolean | null
  readonly packages: readonly CompsPackage[]
}

export interface CompsPackage {
  readonly name: string
  /** `mandatory`, `default`, `optional` or `conditional`; `null` where the file does not say. */
  readonly type: string | null
  /** With `conditional`: the package that makes this one wanted. */
  readonly requires: string | null
}

export interface CompsCategory {
  readonly id: string
  readonly name: string | null
  readonly groupIds: readonly string[]
}

export interface CompsEnvironment extends CompsCategory {
  readonly optionalGroupIds: readonly string[]
}

/** `install` holds `%s` for the language: `aspell` and `aspell-%s`. */
export interface CompsLangpack {
  readonly name: string
  readonly install: string
}

/**
 * Reads comps.xml, the `group` record of repomd.
 * @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT` above 32 MiB
 * @see libcomps, `comps.rng`
 */
export function parseComps(bytes: Uint8Array): Comps {
  const root = readCompsRoot(decodeXml(bytes))
  return {
    groups: childrenOf(root, 'group').map((group) => ({
      id: childText(group, 'id') ?? '',
      name: untranslated(group, 'name'),
      description: untranslated(group, 'description'),
      isDefault: booleanOf(childText(group, 'default')),
      isUserVisible: booleanOf(childText(group, 'uservisible')),
      packages: packageRequests(group).map((request) => ({
        name: request.text.trim(),
        type: request.attributes.get('type') ?? null,
        requires: request.attributes.get('requires') ?? null,
      })),
    })),
    categories: childrenOf(root, 'category').map(readCategory),
    environments: childrenOf(root, 'environment').map((environment) => ({
      ...readCategory(environment),
      optionalGroupIds: groupIds(environment, 'optionlist'),
    })),
    langpacks: childrenOf(root, 'langpacks')
      .flatMap((list) => childrenOf(list, 'match'))
      .map(({ attributes }) => ({
        name: attributes.get('name') ?? '',
        install: attributes.get('install') ?? '',
      })),
  }
}

/**
 * Reads comps.xml for nothing but whether it can be read.
 * @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT` above 32 MiB
 */
export function checkComps(bytes: Uint8Array): void {
  readCompsRoot(decodeXml(bytes))
}

/** @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT` above 32 MiB */
export function readCompsRoot(text: string): XmlElement {
  const root = readXmlText(text, 'comps.xml')
  if (root.name === 'comps') return root
  throw new ChantalError(
    'UPSTREAM_INVALID',
    `comps.xml: the root is <${root.name.slice(0, 100)}>, not <comps>`,
  )
}

/**
 * Takes packages that are not published out of the groups' lists; everything else stays as written, and where none goes the
 * very bytes are given back. Groups stay even when they are empty then: environments, categories and kickstart files refer to
 * them by id, and clients stop at a group that is unknown, but take an empty one for installed with nothing.
 * @param publishedNames names without version and architecture, as comps has them
 * @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT`
 */
export function pruneComps(bytes: Uint8Array, publishedNames: ReadonlySet<string>): Uint8Array {
  const text = decodeXml(bytes)
  const gone = childrenOf(readCompsRoot(text), 'group')
    .flatMap(packageRequests)
    .filter((request) => !publishedNames.has(request.text.trim()))
  return gone.length === 0 ? bytes : withoutElements(bytes, text, gone)
}

function packageRequests(group: XmlElement): readonly XmlElement[] {
  return childrenOf(group, 'packagelist').flatMap((list) => childrenOf(list, 'packagereq'))
}

function readCategory(element: XmlElement): CompsCategory {
  return {
    id: childText(element, 'id') ?? '',
    name: untranslated(element, 'name'),
    groupIds: groupIds(element, 'grouplist'),
  }
}

function groupIds(element: XmlElement, list: 'grouplist' | 'optionlist'): readonly string[] {
  return childrenOf(element, list)
    .flatMap((one) => childrenOf(one, 'groupid'))
    .map((id) => id.text.trim())
}

/** The text without `xml:lang`. Sources that are not translated yet write `_name` for `name`. */
function untranslated(element: XmlElement, name: string): string | null {
  const [own] = [...childrenOf(element, name), ...childrenOf(element, `_${name}`)].filter(
    ({ attributes }) => !attributes.has('xml:lang'),
  )
  return own?.text.trim() || null
}

function booleanOf(text: string | null): boolean | null {
  return text === null ? null : /^(?:true|yes|1)$/i.test(text)
}

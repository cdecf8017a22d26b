import { hash } from 'node:crypto'
import type { PackageKey } from '../../core/model.ts'
import { type RecognizedPackage, textBetween } from '../../core/recognized.ts'
import type { FetchedIndex } from './fetch-indexes.ts'
import { keyOf } from './package-key.ts'

const filenameStart = Buffer.from('\nFilename: ')
const sha256Start = Buffer.from('\nSHA256: ')
const lineFeed = 0x0a
/** Segments that begin with a letter, a digit or `_`. No group that repeats: V8 would keep a place to return to for each segment of megabytes. */
const plainPath = /^\w(?!.*\/(?!\w))[\w.+~:%/-]*$/s
const noPackage = { name: '', version: '', architecture: '', kind: 'deb' } as const

/**
 * Takes stanzas of one index for packages that are held already, without reading them. Only those that nothing is to be said of are
 * taken, so that every sync warns of the same defects. Never those of source packages, which may share files.
 */
export class Recognizer {
  readonly #keys: ReadonlyMap<string, PackageKey>
  /** What the keys of this index's packages begin with. */
  readonly #keyStart: string
  readonly #isUdeb: boolean

  /** @param keys by the identities of what is held */
  constructor({ place, index }: FetchedIndex, keys: ReadonlyMap<string, PackageKey>) {
    this.#keys = index.kind === 'packages' ? keys : new Map()
    this.#keyStart = keyOf(place, index.component.name, noPackage).slice(0, -'__'.length)
    this.#isUdeb = index.isUdeb
  }

  /** @returns `null` for a stanza that has to be read */
  recognize(stanza: Uint8Array): RecognizedPackage | null {
    if (this.#keys.size === 0) return null
    // A package that several indexes list is held with another identity.
    const key = this.#keys.get(hash('sha256', stanza, 'base64url'))
    // The same stanza may have stood in another place, and one of several of a version has more to its key.
    if (!key?.startsWith(this.#keyStart) || key.includes(' ') || key.endsWith(':udeb') !== this.#isUdeb)
      return null
    const bytes = Buffer.from(stanza.buffer, stanza.byteOffset, stanza.byteLength)
    if (!bytes.includes(sha256Start)) return null
    const path = textBetween(bytes, filenameStart, lineFeed)
    // Plain ones alone: others can be written in several ways.
    if (path === null || !plainPath.test(path)) return null
    return { key, isUnchanged: true, path }
  }
}

import type { PackageKey } from '../../core/model.ts'
import { type RecognizedPackage, textBetween } from '../../core/recognized.ts'
import { nevraFileName, parseNevra } from './formats/nevra.ts'

const locationStart = Buffer.from('<location href="')
const checksumStart = Buffer.from('<checksum type="sha256"')
const quote = 0x22
/** Segments that begin with a letter, a digit or `_`. No group that repeats: V8 would keep a place to return to for each segment of megabytes. */
const plainPath = /^\w(?!.*\/(?!\w))[\w.+~^/-]*$/s

/**
 * Takes an entry for one that is held already, without reading it: a tenth of the work. Only entries that nothing is to be said of are
 * taken, so that every sync warns of the same defects.
 * @param key of the held package whose entry has the same identity
 * @returns `null` where the entry has to be read
 */
export function recognize(fragment: Uint8Array, key: PackageKey | undefined): RecognizedPackage | null {
  if (key === undefined) return null
  const bytes = Buffer.from(fragment.buffer, fragment.byteOffset, fragment.byteLength)
  if (!bytes.includes(checksumStart)) return null
  const path = textBetween(bytes, locationStart, quote)
  // Plain ones alone: others can be written in several ways.
  if (path === null || !plainPath.test(path)) return null
  const nevra = parseNevra(key)
  return nevra && path.endsWith(nevraFileName(nevra)) ? { key, isUnchanged: true, path } : null
}

import { hash } from 'node:crypto'
import type { PackageOutline } from '../../core/model.ts'
import { type EntryPage, entryIdBytes } from './entry-ids.ts'

/** Packages as entries of a generated document. */
export function entryPageOf(packages: readonly PackageOutline[]): EntryPage {
  const ids = Buffer.allocUnsafe(packages.length * entryIdBytes)
  for (const [index, pkg] of packages.entries()) writeEntryId(pkg, ids, index)
  return { keys: packages.map(({ key }) => key), ids }
}

/**
 * What an entry of a package in a generated document is known by: equal for packages of which equal entries are made, under one recipe.
 * The catalog's own name for what it recorded of a package, never given again in its lifetime, and what upstream said of it.
 */
function writeEntryId(pkg: PackageOutline, into: Buffer, index: number): void {
  const { repository, key, addedIn, identity } = pkg
  const text = `${repository}\n${key}\n${addedIn}\n${identity}`
  // A character a byte: the quickest way to some bytes of a digest.
  into.write(hash('sha256', text, 'binary'), index * entryIdBytes, entryIdBytes, 'latin1')
}

import { hash } from 'node:crypto'
import type { RevisionPackage } from '../../core/model.ts'
import { type EntryPage, entryIdBytes } from './entry-ids.ts'

/** Packages as entries of a generated document. */
export function entryPageOf(packages: readonly RevisionPackage[]): EntryPage {
  const ids = Buffer.allocUnsafe(packages.length * entryIdBytes)
  for (const [index, pkg] of packages.entries()) writeEntryId(pkg, ids, index)
  return { keys: packages.map(({ key }) => key), ids }
}

/**
 * What an entry of a package in a generated document is known by: equal for packages of which equal entries are made, under one recipe.
 * The catalog's own name for what it recorded of a package, and what that says of its file, in case the catalog was made anew.
 */
function writeEntryId(pkg: RevisionPackage, into: Buffer, index: number): void {
  const { repository, key, addedIn, identity, files } = pkg
  const [{ path, digest }] = files
  const text = `${repository}\n${key}\n${addedIn}\n${identity}\n${path}\n${digest}`
  // A character a byte: the quickest way to some bytes of a digest.
  into.write(hash('sha256', text, 'binary'), index * entryIdBytes, entryIdBytes, 'latin1')
}

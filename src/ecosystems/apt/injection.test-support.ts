import { openListing } from './listing.test-support.ts'
import type { GivenPackage } from './publishing.test-support.ts'

/** Reads an index as a sync does. */
export async function listedStanzas(bytes: Uint8Array): Promise<readonly GivenPackage[]> {
  const { listing } = openListing([{ bytes }])
  const packages = (await collect(listing.read())).flatMap((pkg) => ('isUnchanged' in pkg ? [] : [pkg]))
  const records = await collect(listing.records(new Set(packages.map(({ key }) => key))))
  const stanzas = new Map(records.map(({ key, bytes: stanza }) => [key, stanza]))
  return packages.map(({ key, name, attributes, files: [first] }) => {
    const stanza = stanzas.get(key)
    if (!stanza) throw new Error(`no stanza of ${key}`)
    return { key, name, path: first.path, stanza, attributes }
  })
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

import { RepeatedRuns } from '../../codec/repeated-runs.ts'
import type { PackageKey, StoredPackage } from '../../core/model.ts'
import type { PublicationSink } from '../../core/publication.ts'
import type { AptAttributes } from './attributes.ts'
import { publishedStanza } from './published-stanza.ts'
import type { AptPublishInput } from './publisher.ts'
import { noteOfRelease } from './signed-release.ts'
import { readStoredSuites } from './stored-suites.ts'
import { architecturesOf, SuiteTree } from './suite-tree.ts'
import { inSuite, placeOfSuite } from './suites.ts'

/**
 * A tree generated from native records, which say of every package what upstream said; what accompanies them is pruned to what is
 * published. Signed where there is a key.
 *
 * Every index is written in one pass over the packages.
 */
export async function publishGenerated(input: AptPublishInput, sink: PublicationSink): Promise<void> {
  const runs = new RepeatedRuns(input.earlier)
  const stored = await readStoredSuites(input)
  const suites = new Map<string, SuiteTree>()
  const open = (suite: string, architectures: readonly string[] | null) => {
    const place = placeOfSuite(suite)
    const found = stored.find((each) => each.place.suite === place.suite) ?? null
    const tree = new SuiteTree(input, sink, runs, { place, stored: found, architectures })
    suites.set(place.suite, tree)
    return tree
  }
  try {
    // A hosted repository has no upstream to say which architectures there are.
    const known = stored.length > 0 ? null : await architecturesOf(input)
    for (const suite of stored.length > 0 ? stored.map(({ place }) => place.suite) : input.options.suites)
      open(suite, known)
    for await (const { pkg, stanza } of stanzasOf(input)) {
      const { suite } = pkg.attributes
      const tree = suites.get(suite) ?? open(suite, known)
      for (const file of pkg.files) await sink.place(file, input.repository)
      await tree.add(pkg, publishedStanza(stanza, pkg, input.options))
    }
    for (const tree of suites.values()) await tree.finish()
  } catch (error) {
    for (const tree of suites.values()) await tree.abandon(error)
    throw error
  }
  const releases = [...suites.values()].map(({ place }) => noteOfRelease(inSuite(place, 'Release')))
  sink.note([...runs.notes(), ...releases])
}

interface PackageStanza {
  readonly pkg: StoredPackage<AptAttributes>
  readonly stanza: Uint8Array
}

/** Packages and their native records, which both come in key order. */
async function* stanzasOf(input: AptPublishInput): AsyncGenerator<PackageStanza> {
  const records = input.records('stanza')[Symbol.asyncIterator]()
  try {
    for await (const pkg of input.packages()) {
      const { done, value } = await records.next()
      if (done || value.key !== pkg.key || !value.bytes) throw notRecorded(pkg.key)
      yield { pkg, stanza: value.bytes }
    }
  } finally {
    await records.return?.()
  }
}

function notRecorded(key: PackageKey): Error {
  return new Error(`${key} has no native record`)
}

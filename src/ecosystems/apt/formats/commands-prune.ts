import type { ByteSource } from '../../../core/bytes.ts'
import { type PruneCounts, pruneStanzas } from './stanza-prune.ts'

/**
 * Makes a `cnf/Commands-ARCH` (decompressed), by which Ubuntu suggests packages for commands that are not installed, speak of
 * published packages alone. The stanza in front, which says of which suite, component and architecture it is, stays and is
 * not counted; the rest is verbatim. Chunks are some 256 KiB.
 * @param terms.hasHeader `false` leaves the stanza in front out: behind another document of the kind there is one
 * @throws ChantalError `SIZE_LIMIT`
 * @see CommandNotFound/db/creator.py of command-not-found
 */
export async function* pruneCommands(
  source: ByteSource,
  keeps: (packageName: string) => boolean,
  terms: { readonly hasHeader: boolean } = { hasHeader: true },
): AsyncGenerator<Uint8Array, PruneCounts, undefined> {
  let headers = 0
  const counts = yield* pruneStanzas(source, 'Commands', (stanza) => {
    const name = stanza.get('name')
    if (name !== null) return keeps(name)
    if (stanza.get('suite') === null || !terms.hasHeader) return false
    headers += 1
    return true
  })
  return { ...counts, kept: counts.kept - headers }
}

import type { ByteSource } from '../../../core/bytes.ts'
import { isChantalError } from '../../../core/errors.ts'
import { ChunkGatherer } from './chunk-gatherer.ts'
import { endOfStanza, splitRecords } from './record-splitter.ts'
import { parseStanza, type Stanza } from './stanza.ts'

export interface PruneCounts {
  /** Parts that speak of a published package. */
  readonly kept: number
  /** Parts that speak of none. */
  readonly dropped: number
  /** Parts left out because what they speak of cannot be read: worth a warning. */
  readonly unreadable: number
}

/** Leaves out stanzas, each with the empty line after it; the rest is verbatim. What is no stanza is left out and counted. */
export async function* pruneStanzas(
  source: ByteSource,
  what: string,
  keeps: (stanza: Stanza) => boolean,
): AsyncGenerator<Uint8Array, PruneCounts, undefined> {
  const counts = { kept: 0, dropped: 0, unreadable: 0 }
  const output = new ChunkGatherer()
  for await (const records of splitRecords(source, what, endOfStanza)) {
    for (const record of records) {
      const verdict = verdictOn(record, what, keeps)
      if (verdict !== 'blank') counts[verdict] += 1
      if (verdict === 'dropped' || verdict === 'unreadable') continue
      const full = output.add(record)
      if (full) yield full
    }
  }
  const rest = output.rest()
  if (rest) yield rest
  return counts
}

function verdictOn(
  record: Buffer,
  what: string,
  keeps: (stanza: Stanza) => boolean,
): keyof PruneCounts | 'blank' {
  const start = record.findIndex((byte) => byte !== 0x0a && byte !== 0x0d)
  if (start < 0) return 'blank'
  try {
    const stanza = parseStanza(record.subarray(start), what)
    if (stanza.fields.length === 0) return 'blank'
    return keeps(stanza) ? 'kept' : 'dropped'
  } catch (error) {
    if (!isChantalError(error, 'UPSTREAM_INVALID')) throw error
    return 'unreadable'
  }
}

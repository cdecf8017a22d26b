import { withoutElements, type XmlElement, type XmlRecord } from '../../../codec/xml.ts'
import type { ByteSource } from '../../../core/bytes.ts'
import { ChantalError } from '../../../core/errors.ts'
import { advisoryCollections, advisoryNevra, readUpdateinfo } from './updateinfo.ts'

export interface UpdateinfoCounts {
  readonly kept: number
  readonly dropped: number
}

/**
 * Makes updateinfo.xml speak of published packages alone: packages that are not published leave the lists, collections that
 * lose all theirs go, and so do advisories that lose all. An advisory without packages upstream stays. The rest is verbatim;
 * where every package is published, so is the whole.
 *
 * Where no advisory is left it yields nothing at all: publish none then. It may throw after it has yielded: what came
 * before is then worth nothing.
 * @param published asked with NEVRAs whose epoch is explicit
 * @returns how many advisories there are
 * @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT`
 */
export async function* pruneUpdateinfo(
  source: ByteSource,
  published: (nevra: string) => boolean,
): AsyncGenerator<Uint8Array, UpdateinfoCounts, undefined> {
  const counts = { kept: 0, dropped: 0 }
  let held: Uint8Array[] = []
  let heldSize = 0
  let afterDropped = false
  for await (const part of readUpdateinfo(source)) {
    let bytes: Uint8Array | null = part.bytes
    if (part.kind === 'frame' && afterDropped) {
      // The line break that followed the dropped advisory goes with it; the blanks before it serve the next.
      bytes = withoutLeadingBlanks(bytes)
      if (bytes.length > 0) afterDropped = false
    } else if (part.kind === 'record' && part.element.name === 'update') {
      bytes = pruneRecord(part, published)
      afterDropped = bytes === null
      counts[bytes === null ? 'dropped' : 'kept'] += 1
    } else afterDropped = false
    if (bytes === null) continue
    if (counts.kept === 0) {
      held.push(bytes)
      heldSize += bytes.length
      if (heldSize > maxHeldSize)
        throw new ChantalError('SIZE_LIMIT', 'updateinfo.xml starts with too much besides advisories')
    } else {
      yield* held
      held = []
      yield bytes
    }
  }
  return counts
}

/** In bytes: of what comes before the first advisory that is kept. */
const maxHeldSize = 16 * 1024 * 1024

function pruneRecord(
  { bytes, text, element }: XmlRecord,
  published: (nevra: string) => boolean,
): Uint8Array | null {
  const removed: XmlElement[] = []
  let left = 0
  for (const { collection, packages } of advisoryCollections(element)) {
    const gone = packages.filter((one) => !published(advisoryNevra(one)))
    left += packages.length - gone.length
    if (gone.length > 0 && gone.length === packages.length) removed.push(collection)
    else removed.push(...gone)
  }
  if (removed.length === 0) return bytes
  return left === 0 ? null : withoutElements(bytes, text, removed)
}

function withoutLeadingBlanks(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)
  return start < 0 ? new Uint8Array() : bytes.subarray(start)
}

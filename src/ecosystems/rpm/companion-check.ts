import { decompress } from '../../codec/compression.ts'
import { readWhole } from '../../core/bytes.ts'
import { type ChantalError, isChantalError } from '../../core/errors.ts'
import type { ReadRequest } from '../ecosystem.ts'
import { checkComps } from './formats/comps.ts'
import type { Repomd } from './formats/repomd.ts'
import { checkUpdateinfo } from './formats/updateinfo.ts'
import { compsTypes, findRecord, openLimit, recordExpectation, recordPath, wholeLimit } from './metadata.ts'
import type { RpmOptions } from './options.ts'

/**
 * Reads comps and updateinfo once, and warns of what cannot be read: publishing leaves it out. What upstream does not have is left to
 * the sync, which judges by the configuration.
 * @throws ChantalError what `metadata.fetch` throws
 */
export async function warnOfUnreadableCompanions(
  request: ReadRequest<RpmOptions>,
  repomd: Repomd,
): Promise<void> {
  const { metadata, limits, reporter } = request
  for (const record of [findRecord(repomd, ...compsTypes), findRecord(repomd, 'updateinfo')]) {
    const file =
      record && (await metadata.fetchOptional(recordPath(record), recordExpectation(record, limits)))
    if (!file) continue
    const open = (most: number) =>
      decompress(file.stream(), { maxSize: Math.min(openLimit(record, file.size, limits), most) })
    try {
      if (record.type === 'updateinfo') await checkUpdateinfo(open(Number.POSITIVE_INFINITY))
      else checkComps(await readWhole(open(wholeLimit)))
    } catch (error) {
      if (!isUnreadable(error)) throw error
      const message = `${record.type} cannot be read, and is left out of generated trees: ${error.message}`
      reporter.report({ type: 'warning', code: 'METADATA_MALFORMED', message })
    }
  }
}

/** Whether a document has it that it cannot be read: malformed, or more than may be read of it. */
export function isUnreadable(error: unknown): error is ChantalError {
  return isChantalError(error, 'UPSTREAM_INVALID', 'SIZE_LIMIT')
}

import type { PackageFile } from '../ecosystem.ts'
import { parseRpmHeaders, type RpmHeaders, readRpmHeaders } from './formats/rpm-header.ts'

/** Most headers are shorter. */
const usualSize = 32 * 1024
/** Beyond this a header is read as a stream. */
const longestHead = 4 * 1024 ** 2

/** What stands before a package's payload. @throws ChantalError `UPSTREAM_INVALID` */
export async function readHeaders(file: PackageFile): Promise<RpmHeaders> {
  let size = 0
  for (let wanted = usualSize; wanted > size && wanted <= longestHead; ) {
    size = wanted
    const parsed = parseRpmHeaders(file.head(size))
    if (typeof parsed !== 'number') return parsed
    wanted = parsed
  }
  return readRpmHeaders(file.read())
}

import { type Checksum, parseChecksum } from '../../../core/digest.ts'
import { ChantalError } from '../../../core/errors.ts'
import { parseRelativePath, type RelativePath, withoutLeadingDots } from '../../../core/path.ts'

/** A file of the Debian installer. */
export interface InstallerFile {
  /** Relative to the list that names it. */
  readonly path: RelativePath
  readonly checksum: Checksum
}

/**
 * Reads the `SHA256SUMS` beside the images of the Debian installer, as `sha256sum` writes it: `hex  ./netboot/mini.iso`.
 * Sizes are not stated. Each path comes once.
 * @param what names the list in errors
 * @throws ChantalError `UPSTREAM_INVALID` for another line, `PATH_UNSAFE` for a file outside of the list's folder, `SIZE_LIMIT`
 * for more than 100,000 files
 */
export function parseInstallerSums(text: string, what: string): readonly InstallerFile[] {
  const files = new Map<RelativePath, InstallerFile>()
  for (const line of text.split('\n')) {
    if (/^\s*$/.test(line)) continue
    const file = parseLine(line, what)
    const known = files.get(file.path)
    if (known !== undefined && known.checksum.hex !== file.checksum.hex) {
      throw new ChantalError('UPSTREAM_INVALID', `${what}: ${JSON.stringify(file.path)} has two checksums`, {
        details: { path: file.path, checksums: [known.checksum.hex, file.checksum.hex] },
      })
    }
    files.set(file.path, file)
    if (files.size > maxFiles) throw new ChantalError('SIZE_LIMIT', `${what}: more than ${maxFiles} files`)
  }
  return [...files.values()]
}

/** Debian's list has some 100. */
const maxFiles = 100_000

/** The `*` marks what was read as binary. A `\` in front would say that the name is escaped: such names are refused anyway. */
function parseLine(line: string, what: string): InstallerFile {
  const [, hex, name] =
    /^([0-9a-f]{64})[ \t][ *](\S.*)$/i.exec(line.endsWith('\r') ? line.slice(0, -1) : line) ?? []
  if (hex === undefined || name === undefined) {
    throw new ChantalError(
      'UPSTREAM_INVALID',
      `${what}: expected "<SHA-256>  <path>", found ${JSON.stringify(line.slice(0, 200))}`,
    )
  }
  return { path: parseRelativePath(withoutLeadingDots(name)), checksum: parseChecksum('sha256', hex) }
}

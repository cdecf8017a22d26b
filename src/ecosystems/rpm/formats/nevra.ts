import { compareRpmVersions } from '../version.ts'

/** What names one build of a package. Two files of one repository may still share it (signed anew, rebuilt). */
export interface Nevra {
  readonly name: string
  /** Decimal digits; `'0'` where the source says none. */
  readonly epoch: string
  readonly version: string
  readonly release: string
  /** `src` and `nosrc` for source packages. */
  readonly architecture: string
}

/** `name-epoch:version-release.arch`, epoch always written: as modulemd lists artifacts. */
export function formatNevra(nevra: Nevra): string {
  return `${nevra.name}-${formatEvr(nevra)}.${nevra.architecture}`
}

/** `epoch:version-release`, epoch always written. */
export function formatEvr(nevra: Pick<Nevra, 'epoch' | 'version' | 'release'>): string {
  return `${nevra.epoch}:${nevra.version}-${nevra.release}`
}

/** Reads `name-[epoch:]version-release.arch`; a missing epoch is `'0'`. `null` for anything else. */
export function parseNevra(text: string): Nevra | null {
  const dot = text.lastIndexOf('.')
  const releaseDash = text.lastIndexOf('-', dot)
  const versionDash = text.lastIndexOf('-', releaseDash - 1)
  if (versionDash < 1 || releaseDash < versionDash || dot < releaseDash) return null
  const epochAndVersion = text.slice(versionDash + 1, releaseDash)
  const colon = epochAndVersion.indexOf(':')
  const epoch = colon < 0 ? '0' : epochAndVersion.slice(0, colon)
  const nevra = {
    name: text.slice(0, versionDash),
    epoch,
    version: epochAndVersion.slice(colon + 1),
    release: text.slice(releaseDash + 1, dot),
    architecture: text.slice(dot + 1),
  }
  const isWhole = nevra.version !== '' && nevra.release !== '' && nevra.architecture !== ''
  return isWhole && /^[0-9]+$/.test(epoch) ? nevra : null
}

/** The file name rpm gives the package: `name-version-release.arch.rpm`. Upstream's may differ: keep its href. */
export function nevraFileName(nevra: Nevra): string {
  return `${nevra.name}-${nevra.version}-${nevra.release}.${nevra.architecture}.rpm`
}

/** The opposite of {@link nevraFileName}, for `sourcerpm`; the epoch, which file names leave out, becomes `'0'`. */
export function parseRpmFileName(fileName: string): Nevra | null {
  return fileName.endsWith('.rpm') ? parseNevra(fileName.slice(0, -'.rpm'.length)) : null
}

/** By name, then version order, then architecture; names and architectures by code unit. */
export function compareNevras(a: Nevra, b: Nevra): number {
  return (
    compareText(a.name, b.name) ||
    compareRpmVersions(formatEvr(a), formatEvr(b)) ||
    compareText(a.architecture, b.architecture)
  )
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

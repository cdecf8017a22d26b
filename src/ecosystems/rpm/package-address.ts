import { ChantalError } from '../../core/errors.ts'
import { type PrimaryPackage, parsePrimaryPackage } from './formats/primary.ts'
import { upstreamPath } from './metadata.ts'

/**
 * Where upstream has a package that it says lies at another address than the rest of the repository; `null` where it is at its path.
 * @throws ChantalError `PATH_UNSAFE`
 */
export function addressElsewhere({ href, xmlBase }: PrimaryPackage): URL | null {
  if (xmlBase === null) return null
  const base = URL.parse(xmlBase)
  if (base?.protocol !== 'http:' && base?.protocol !== 'https:') {
    throw new ChantalError('PATH_UNSAFE', `primary.xml: ${href} has an xml:base that is no web address`, {
      details: { path: href },
    })
  }
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  return new URL(upstreamPath(href).split('/').map(encodeURIComponent).join('/'), base)
}

/** The same, by the package's native record in primary.xml. */
export function recordedAddress(primary: Uint8Array): URL | null {
  return addressElsewhere(parsePrimaryPackage(primary))
}

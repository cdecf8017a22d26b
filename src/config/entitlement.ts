import { X509Certificate } from 'node:crypto'
import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readText } from './files.ts'

/** Where subscription-manager puts the authority of the Red Hat CDN. */
export const redHatAuthority = '/etc/rhsm/ca/redhat-uep.pem'

export interface ClientCertificate {
  /** PEM. */
  readonly certificate: string
  readonly key: string
}

/**
 * The pair of a RHEL subscription that is valid at `now` and expires last, from a folder of `SERIAL.pem` and `SERIAL-key.pem`.
 * @returns the pair, or why there is none
 */
export async function findEntitlement(
  folder: string,
  now: Date,
): Promise<ClientCertificate | { readonly problem: string }> {
  const names = await readdir(folder).catch(() => null)
  if (names === null) return { problem: `cannot read the folder ${folder}` }
  const present = new Set(names)
  let best: { pair: ClientCertificate; until: Date } | null = null
  let expired = 0
  for (const name of names.filter((name) => name.endsWith('.pem') && !name.endsWith('-key.pem')).sort()) {
    const keyName = `${name.slice(0, -'.pem'.length)}-key.pem`
    if (!present.has(keyName)) continue
    const [certificate, key] = await Promise.all([
      readText(join(folder, name)),
      readText(join(folder, keyName)),
    ])
    if (typeof certificate !== 'string' || typeof key !== 'string') continue
    const parsed = parseCertificate(certificate)
    if (!parsed || parsed.validFromDate > now) continue
    if (parsed.validToDate < now) expired += 1
    else if (best === null || parsed.validToDate > best.until)
      best = { pair: { certificate, key }, until: parsed.validToDate }
  }
  if (best) return best.pair
  return { problem: `no ${expired > 0 ? 'unexpired ' : ''}SERIAL.pem with its SERIAL-key.pem in ${folder}` }
}

/** The first certificate of a PEM text; `null` where there is none. */
export function parseCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem)
  } catch {
    return null
  }
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

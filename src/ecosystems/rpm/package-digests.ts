import { createHash } from 'node:crypto'
import type { PackageFile } from '../ecosystem.ts'
import { parseMainTags, type RpmHeaders } from './formats/rpm-header.ts'
import { rpmSignatureTag, rpmTag } from './formats/rpm-tags.ts'

/**
 * Why a file is not the package that was built: it is cut off, or was changed on its way. `null` where all sizes and digests that it holds are
 * right. They vouch for nothing, since whoever changes a package can change them too.
 * @throws ChantalError `UPSTREAM_INVALID` where they cannot be read
 */
export async function objectToPackage(file: PackageFile, headers: RpmHeaders): Promise<string | null> {
  return objectToSize(file, headers) ?? objectToHeader(headers) ?? (await objectToPayload(file, headers))
}

/**
 * Whether the payload is the one whose digest the main header holds. `null` where it holds none, or one that is not known.
 * @throws ChantalError `UPSTREAM_INVALID`
 */
export async function hasPromisedPayload(file: PackageFile, headers: RpmHeaders): Promise<boolean | null> {
  const main = parseMainTags(headers)
  const promised = main.string(rpmTag.payloadDigest)
  // rpm 6 writes no number: there the tag means SHA-256.
  const algorithm = payloadAlgorithms[main.number(rpmTag.payloadDigestAlgorithm) ?? 8]
  if (promised === null || algorithm === undefined) return null
  return (await digestFrom(file, headers.payloadOffset, algorithm)) === promised.toLowerCase()
}

/** OpenPGP's numbers, as rpm uses them; it writes 8. */
const payloadAlgorithms: Readonly<Record<number, string>> = { 8: 'sha256', 9: 'sha384', 10: 'sha512' }

function objectToSize({ size }: PackageFile, { signature, mainOffset }: RpmHeaders): string | null {
  const promised = signature.number(rpmSignatureTag.longSize) ?? signature.number(rpmSignatureTag.size)
  const actual = size - mainOffset
  if (promised === null || promised === actual) return null
  const what = actual < promised ? 'it is cut off' : 'there is more than belongs to it'
  return `${what}: header and payload are to have ${promised} bytes, and have ${actual}`
}

function objectToHeader({ signature, mainBytes }: RpmHeaders): string | null {
  const { sha1, sha256, sha3With256 } = rpmSignatureTag
  const better = [
    { algorithm: 'sha256', promised: signature.string(sha256) },
    { algorithm: 'sha3-256', promised: signature.string(sha3With256) },
  ].filter(({ promised }) => promised !== null)
  const digests = better.length > 0 ? better : [{ algorithm: 'sha1', promised: signature.string(sha1) }]
  for (const { algorithm, promised } of digests) {
    if (promised === null) continue
    const actual = createHash(algorithm).update(mainBytes).digest('hex')
    if (actual !== promised.toLowerCase())
      return `its header is not the one that was built: ${algorithm} is to be ${promised}, and is ${actual}`
  }
  return null
}

async function objectToPayload(file: PackageFile, headers: RpmHeaders): Promise<string | null> {
  const other = 'its payload is not the one that was built'
  const isPromised = await hasPromisedPayload(file, headers)
  if (isPromised !== null) return isPromised ? null : other
  // Packages that were built before rpm 4.14 hold no other digest of the payload.
  const md5 = headers.signature.bytes(rpmSignatureTag.md5)
  if (md5 === null) return null
  const actual = await digestFrom(file, headers.mainOffset, 'md5')
  return actual === Buffer.from(md5).toString('hex') ? null : other
}

/** Of all bytes from there on, in hex. */
async function digestFrom(file: PackageFile, start: number, algorithm: string): Promise<string> {
  const hash = createHash(algorithm)
  for await (const chunk of file.read(start)) hash.update(chunk)
  return hash.digest('hex')
}

import { isChantalError } from '../../core/errors.ts'
import type { PackageVerdict } from '../../core/package-signature.ts'
import type { PackageVerifier } from '../../sign/package-verifier.ts'
import type { PackageFile, PackageSignatures } from '../ecosystem.ts'
import type { RpmHeaders } from './formats/rpm-header.ts'
import { rpmSignatureTag } from './formats/rpm-tags.ts'
import { hasPromisedPayload } from './package-digests.ts'
import { readHeaders } from './package-headers.ts'

/**
 * RPM packages carry signatures of their main header alone, and older ones also of header and payload together. The first vouch for
 * the payload only through the digest of it that newer headers hold.
 */
export const rpmSignatures: PackageSignatures = { verify: verifyRpm }

async function verifyRpm(
  file: PackageFile,
  verifier: PackageVerifier,
  { mustCoverAll }: { readonly mustCoverAll: boolean },
): Promise<PackageVerdict> {
  try {
    const headers = await readHeaders(file)
    const ofHeader = await verifier.verify(headerSignatures(headers), () => [headers.mainBytes])
    if (ofHeader.state === 'good') {
      const objection = mustCoverAll ? await objectToPayload(file, headers) : null
      if (objection === null) return ofHeader
      const whole = await verifyWhole(file, headers, verifier)
      return whole.state === 'good' ? whole : { state: 'bad', keyId: ofHeader.keyId, reason: objection }
    }
    const whole = await verifyWhole(file, headers, verifier)
    // A bad signature of the header is no better for being accompanied by none of the whole.
    return whole.state === 'good' || ofHeader.state === 'unsigned' ? whole : ofHeader
  } catch (error) {
    if (!isChantalError(error, 'UPSTREAM_INVALID')) throw error
    return { state: 'bad', keyId: null, reason: error.message }
  }
}

/** rpm takes any number; a package that several builders sign has a handful. */
const maxSignatures = 64

function headerSignatures({ signature }: RpmHeaders): readonly Uint8Array[] {
  const encoded = signature.strings(rpmSignatureTag.openpgp, maxSignatures) ?? []
  return [
    ...encoded.map((text) => Buffer.from(text, 'base64')),
    ...binary(signature, rpmSignatureTag.rsaHeader, rpmSignatureTag.dsaHeader),
  ]
}

async function verifyWhole(
  file: PackageFile,
  { signature, mainOffset }: RpmHeaders,
  verifier: PackageVerifier,
): Promise<PackageVerdict> {
  const signatures = binary(signature, rpmSignatureTag.pgp, rpmSignatureTag.gpg)
  return verifier.verify(signatures, () => file.read(mainOffset))
}

function binary(tags: RpmHeaders['signature'], ...numbers: readonly number[]): readonly Uint8Array[] {
  return numbers.map((number) => tags.bytes(number)).filter((bytes) => bytes !== null)
}

/** Why a signed header does not vouch for the payload; `null` where it does. */
async function objectToPayload(file: PackageFile, headers: RpmHeaders): Promise<string | null> {
  const isPromised = await hasPromisedPayload(file, headers)
  if (isPromised === null)
    return 'its signature does not cover the payload, and no signed metadata vouches for it either'
  return isPromised ? null : 'its payload is not the one that was signed'
}

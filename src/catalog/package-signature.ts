import type { PackageSignature, PackageVerdict } from '../core/package-signature.ts'

/** The columns of a package that keep its signature's verdict. */
export interface SignatureColumns {
  readonly signature: string | null
  readonly signature_policy: string | null
}

export function signatureColumns(signature: PackageSignature | null | undefined): SignatureColumns {
  if (!signature) return { signature: null, signature_policy: null }
  return { signature: JSON.stringify(signature.verdict), signature_policy: signature.policy }
}

export function signatureOf({ signature, signature_policy }: SignatureColumns): PackageSignature | null {
  if (signature === null || signature_policy === null) return null
  // What the program wrote itself, but for the date that JSON made text of.
  const verdict: PackageVerdict = JSON.parse(signature)
  return {
    verdict: verdict.state === 'good' ? { ...verdict, signedAt: new Date(verdict.signedAt) } : verdict,
    policy: signature_policy,
  }
}

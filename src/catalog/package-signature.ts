import type { PackageSignature, PackageVerdict } from '../core/package-signature.ts'

/** The columns of a package that keep its signature's verdict. */
export interface SignatureColumns {
  readonly signature: string | null
  readonly signature_policy: string | null
}

/** What the column begins with where a signature is good. */
export const startOfGood = JSON.stringify({ state: 'good' }).slice(0, -1)

export function signatureColumns(signature: PackageSignature | null | undefined): SignatureColumns {
  if (!signature) return { signature: null, signature_policy: null }
  const { state, ...rest } = signature.verdict
  return { signature: JSON.stringify({ state, ...rest }), signature_policy: signature.policy }
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

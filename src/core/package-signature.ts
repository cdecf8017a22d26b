/**
 * What checking the signatures that a package carries came to, under one set of trusted keys.
 * Fingerprints and key ids are upper-case hex; a fingerprint is the primary key's, a key id the key's that signed.
 */
export type PackageVerdict =
  | {
      readonly state: 'good'
      readonly fingerprint: string
      readonly keyId: string
      readonly signedAt: Date
    }
  | { readonly state: 'unsigned' }
  /** Signed, by none of the trusted keys. A signature may not say by whom: then there is no id for it. */
  | { readonly state: 'unknown-key'; readonly keyIds: readonly string[] }
  /** Signed in a way that this program cannot check: it counts as little as no signature. */
  | { readonly state: 'unsupported'; readonly keyId: string | null; readonly reason: string }
  /** A signature by a trusted key that is not good. `keyId` is null where the package is too damaged to say. */
  | { readonly state: 'bad'; readonly keyId: string | null; readonly reason: string }

/** A verdict, and by which keys and rules it was reached: under others it has to be reached anew. */
export interface PackageSignature {
  readonly verdict: PackageVerdict
  /** Equal for equal keys and rules. */
  readonly policy: string
}

/** One line for people: `good, key ABCD…`, `unsigned`, `bad: …`. */
export function describeVerdict(verdict: PackageVerdict): string {
  switch (verdict.state) {
    case 'good':
      return `good, by key ${verdict.fingerprint}`
    case 'unsigned':
      return 'not signed'
    case 'unknown-key':
      return verdict.keyIds.length === 0
        ? 'signed by an unknown key'
        : `signed by a key that is not trusted (${verdict.keyIds.join(', ')})`
    case 'unsupported':
    case 'bad':
      return verdict.keyId === null ? verdict.reason : `key ${verdict.keyId}: ${verdict.reason}`
  }
}

/** Who vouched for some bytes. Worth showing, and worth storing with the sync. */
export interface SignedBy {
  /** 40 upper-case hex digits; for a subkey, the primary key's. */
  readonly fingerprint: string
  readonly userId: string | null
  readonly signedAt: Date | null
}

/**
 * Checks upstream signatures against the keys one repository trusts, and no others: no system keyring, no key server.
 * One valid signature by a trusted key is enough (rotation); a message with none is refused.
 * @throws ChantalError `SIGNATURE_MISSING`, `SIGNATURE_INVALID` (bad, expired, revoked, or by a key not trusted)
 */
export interface Verifier {
  /** Of every key that counts: 40 upper-case hex digits. Part of what a sync depends on. */
  readonly fingerprints: readonly string[]
  /** @param signature armored or binary */
  detached(data: Uint8Array, signature: Uint8Array): Promise<SignedBy>
  /** @returns only the text the signature covers: the one thing to parse. */
  cleartext(message: Uint8Array): Promise<{ readonly text: string; readonly by: SignedBy }>
}

/** Signs generated metadata. Each ecosystem names the kind it needs; configuration supplies the key. */
export type Signer = OpenPgpSigner | RsaSigner

/** RPM, APT, Helm. */
export interface OpenPgpSigner {
  readonly kind: 'openpgp'
  /** 40 upper-case hex digits, of the primary key. */
  readonly fingerprint: string
  /** Armored, for clients to import. */
  readonly publicKey: string
  /** `repomd.xml.asc`, `Release.gpg`: armored. @throws ChantalError `SIGNING_FAILED` */
  detached(data: Uint8Array, now: Date): Promise<string>
  /** `InRelease`, Helm provenance: the text with its signature around it. @throws ChantalError `SIGNING_FAILED` */
  cleartext(text: string, now: Date): Promise<string>
}

/** Alpine: a raw PKCS #1 v1.5 signature, and the key's file name inside the signed archive. */
export interface RsaSigner {
  readonly kind: 'rsa'
  /** `builder@example.org-5f0b1c2d.rsa.pub`: what clients keep in /etc/apk/keys. */
  readonly keyName: string
  /** PEM. */
  readonly publicKey: string
  /** @throws ChantalError `SIGNING_FAILED` */
  sign(data: Uint8Array, hash: 'sha1' | 'sha256'): Promise<Uint8Array>
}

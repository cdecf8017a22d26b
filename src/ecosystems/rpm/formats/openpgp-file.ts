/**
 * Whether a file holds OpenPGP at all, armored or not, which is told by how it begins: nothing is verified by that. Servers answer with a
 * page of their own, status 200, for a signature or key that they do not have.
 * @see RFC 9580, 4.2 and 6.2
 */
export function holdsOpenPgp(file: Uint8Array): boolean {
  const [first = 0] = file
  // Of a first packet: a signature, a public key, or the marker that readers pass over. What is text in UTF-16 has its highest bit set too.
  if (first >= 0x80 && packetTags.has(first & 0x40 ? first & 0x3f : (first >> 2) & 0x0f)) return true
  const text = Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString('latin1')
  return /^(?:\u00ef\u00bb\u00bf)?-----BEGIN PGP [A-Z ,/0-9]+-----/m.test(text)
}

const packetTags: ReadonlySet<number> = new Set([2, 6, 10])

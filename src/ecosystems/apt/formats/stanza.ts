import { FieldCursor } from './field-cursor.ts'

export interface StanzaField {
  /** As written. */
  readonly name: string
  /**
   * Without white space around it. A further line has lost the blank that continues it and what trails; ` .` is an empty
   * line. Where nothing stands beside the name, the first line is the one below (`Files`, `SHA256`).
   */
  readonly value: string
}

export interface Stanza {
  /** In file order, with all that are given twice. */
  readonly fields: readonly StanzaField[]
  /** By its name in any case. Of several the last, as apt reads it. */
  get(name: string): string | null
}

/**
 * Reads one stanza, as {@link readStanzas} gives it. Bytes that are not UTF-8 become U+FFFD.
 * @param what names the stanza in errors
 * @throws ChantalError `UPSTREAM_INVALID` for a line that is neither a field nor part of one
 * @see Debian Policy 5.1, “Syntax of control files”
 */
export function parseStanza(bytes: Uint8Array, what = 'stanza'): Stanza {
  return parseStanzaText(decodeStanza(bytes), what)
}

/** The same of text; it ends at the first empty line. */
export function parseStanzaText(text: string, what: string): Stanza {
  const fields: StanzaField[] = []
  const cursor = new FieldCursor(text, what)
  while (cursor.next()) fields.push({ name: cursor.name, value: cursor.value })
  return {
    fields,
    get: (name) => {
      const wanted = name.toLowerCase()
      const found = fields.findLast(
        (field) => field.name.length === wanted.length && field.name.toLowerCase() === wanted,
      )
      return found === undefined ? null : found.value
    },
  }
}

/** Bytes that are not UTF-8 become U+FFFD. */
export function decodeStanza(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('utf8')
}

/** The same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

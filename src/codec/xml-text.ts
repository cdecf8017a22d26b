import { ChantalError } from '../core/errors.ts'

/** `text` for element content, as libxml2 escapes it. Characters that XML 1.0 cannot express are left out. */
export function escapeXmlText(text: string): string {
  return text.replace(notForText, (character) => references[character] ?? '')
}

/**
 * `text` for an attribute value in double quotes, as libxml2 escapes it; blanks other than spaces survive as references.
 * Characters that XML 1.0 cannot express are left out.
 */
export function escapeXmlAttribute(text: string): string {
  return text.replace(notForAttribute, (character) => references[character] ?? '')
}

/**
 * Replaces the five entities and character references. There are no others: no document declares its own.
 * @throws ChantalError `UPSTREAM_INVALID` for an unknown entity, a bare `&`, or a character that XML forbids
 */
export function unescapeXml(text: string): string {
  if (!text.includes('&')) return text
  return text.replaceAll(/&([^;&]{0,32};)?/g, (reference, body: string | undefined) => {
    const replacement = body === undefined ? undefined : resolve(body.slice(0, -1))
    if (replacement === undefined) {
      throw new ChantalError(
        'UPSTREAM_INVALID',
        `malformed XML: invalid reference ${JSON.stringify(reference)}`,
      )
    }
    return replacement
  })
}

const entities: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])

// A reader turns a bare carriage return into a line feed, and white space in attributes into blanks.
const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

const forbidden = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u
const notForText = new RegExp(`[&<>\\r]|${forbidden.source}`, 'gu')
const notForAttribute = new RegExp(`[&<>"\\t\\n\\r]|${forbidden.source}`, 'gu')

function resolve(body: string): string | undefined {
  const [, hexadecimal, decimal] = /^#(?:x([0-9a-f]+)|([0-9]+))$/i.exec(body) ?? []
  if (hexadecimal === undefined && decimal === undefined) return entities.get(body)
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16)
  if (body.startsWith('#X') || code > 0x10ffff) return undefined
  const character = String.fromCodePoint(code)
  return forbidden.test(character) ? undefined : character
}

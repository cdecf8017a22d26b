import { escapeXmlAttribute } from '../../../codec/xml.ts'
import { ChantalError } from '../../../core/errors.ts'
import type { RelativePath } from '../../../core/path.ts'
import { FragmentReader } from './fragment-reader.ts'

/**
 * Points a plain primary fragment at `href` below our own root: the package's `<location>` gets that href and loses
 * its `xml:base`. Every other byte stays.
 * @param href not escaped, neither for XML nor as a URL
 * @throws ChantalError `UPSTREAM_INVALID` where the package has not exactly one location with an href
 */
export function rewriteLocation(fragment: Uint8Array, href: RelativePath): Buffer {
  const reader = new FragmentReader(fragment)
  let found: { readonly start: number; readonly end: number; readonly tag: string } | null = null
  while (reader.next()) {
    if (reader.depth !== 1 || reader.name !== 'location') continue
    if (found !== null)
      throw new ChantalError('UPSTREAM_INVALID', 'primary.xml: a package has <location> twice')
    found = { ...reader.range, tag: reader.tag() }
  }
  if (found === null || !/\shref="/.test(found.tag)) {
    throw new ChantalError('UPSTREAM_INVALID', 'primary.xml: a package has no location href')
  }
  const tag = found.tag.replace(attribute, (whole, name: string) => {
    if (name === 'xml:base') return ''
    return name === 'href' ? `${whole.slice(0, whole.indexOf('"'))}"${escapeXmlAttribute(href)}"` : whole
  })
  return Buffer.concat([fragment.subarray(0, found.start), Buffer.from(tag), fragment.subarray(found.end)])
}

/** Values hold no quotes, so that matches from left to right are the attributes. A run of blanks begins but one. */
const attribute = /(?<!\s)\s+([^\s="]+)="[^"]*"/g

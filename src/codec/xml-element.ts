/** An element of a document that was read. Names are as written, with their prefix. */
export interface XmlElement {
  readonly name: string
  /** `name` without its prefix. Whose prefix it is, is not looked at. */
  readonly local: string
  /** By name as written, prefix included. */
  readonly attributes: ReadonlyMap<string, string>
  /** Elements and texts in order, white space included; comments and processing instructions are not. */
  readonly children: readonly (XmlElement | string)[]
  /** The element's own text, without that of its children. */
  readonly text: string
}

/** The first child element of that local name, `null` if there is none. */
export function child(element: XmlElement, local: string): XmlElement | null {
  for (const node of element.children) if (typeof node !== 'string' && node.local === local) return node
  return null
}

/** The child elements, all or those of a local name. */
export function childElements(element: XmlElement, local?: string): XmlElement[] {
  return element.children.filter(
    (node): node is XmlElement => typeof node !== 'string' && (local === undefined || node.local === local),
  )
}

/** The text of the first child element of that local name, without white space around it; `null` without such a child. */
export function textOf(element: XmlElement, local: string): string | null {
  return child(element, local)?.text.trim() ?? null
}

/** An element of a document that was read, and where it stands in its text. Names are as written, with their prefix. */
export interface XmlElement {
  readonly name: string
  /** `name` without its prefix. Whose prefix it is, is not looked at. */
  readonly local: string
  /** By name as written, prefix included, in order. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** The element's own text, CDATA included, the pieces joined; not that of its children. */
  readonly text: string
  /** In UTF-16 code units of the decoded text: of its `<`, and behind its last `>`. */
  readonly start: number
  readonly end: number
}

/** The first child of that name, `null` if there is none. */
export function childOf(element: XmlElement | null, name: string): XmlElement | null {
  return element?.children.find((child) => child.name === name) ?? null
}

/** The children of that name, in order. */
export function childrenOf(element: XmlElement | null, name: string): readonly XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? []
}

/** The text of the first child of that name, without white space around it; `null` where there is none, or it is blank. */
export function childText(element: XmlElement | null, name: string): string | null {
  return childOf(element, name)?.text.trim() || null
}

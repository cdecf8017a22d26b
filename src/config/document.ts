import type { Json } from '../core/brand.ts'

/** Where something stands. Lines and columns count from 1. */
export interface Place {
  /** The file as the user knows it: the main file as it was named, an included one beside it. */
  readonly file: string
  /** Absolute folder of that file; relative paths start here. */
  readonly folder: string
  readonly line: number
  readonly column: number
}

/** A YAML document whose every part knows where it stands, so that a mistake found late still has its line. */
export type DocumentNode = ScalarNode | SequenceNode | MappingNode

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly place: Place
  readonly value: string | number | boolean | null
}

export interface SequenceNode {
  readonly kind: 'sequence'
  readonly place: Place
  /** `index` is the position in the item's own file, which differs once files are merged. */
  readonly items: { readonly index: number; readonly node: DocumentNode }[]
}

export interface MappingNode {
  readonly kind: 'mapping'
  readonly place: Place
  readonly entries: Map<string, MappingEntry>
}

export interface MappingEntry {
  readonly keyPlace: Place
  readonly node: DocumentNode
}

export type DocumentPath = readonly (string | number)[]

/** The plain value of a node: own properties only, whatever the keys are called. */
export function plainValueOf(node: DocumentNode): Json {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'sequence':
      return node.items.map((item) => plainValueOf(item.node))
    case 'mapping':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainValueOf(entry.node)]))
  }
}

/** The node at `path`, or `null` where the document ends before. */
export function nodeAt(root: DocumentNode, path: DocumentPath): DocumentNode | null {
  let node: DocumentNode | undefined = root
  for (const step of path) {
    node = childOf(node, step)?.node
    if (!node) return null
  }
  return node
}

/** Where to point for `path`: at the key for a value under a key, at the item in a list, at the closest ancestor of what is absent. */
export function placeOf(root: DocumentNode, path: DocumentPath): Place {
  let node: DocumentNode = root
  let place = root.place
  for (const step of path) {
    const child = childOf(node, step)
    if (!child) return place
    place = child.keyPlace
    node = child.node
  }
  return place
}

/** `repositories[0].filters.patterns`, with the index that an item has in its own file. */
export function showPath(root: DocumentNode, path: DocumentPath): string {
  let node: DocumentNode | undefined = root
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') {
      text += `[${node?.kind === 'sequence' ? (node.items[step]?.index ?? step) : step}]`
    } else text += /^[\w-]+$/.test(step) ? `${text === '' ? '' : '.'}${step}` : `[${JSON.stringify(step)}]`
    node = node && childOf(node, step)?.node
  }
  return text
}

function childOf(node: DocumentNode, step: string | number): MappingEntry | undefined {
  if (node.kind === 'mapping') return node.entries.get(String(step))
  if (node.kind !== 'sequence' || typeof step !== 'number') return undefined
  const item = node.items[step]
  return item && { keyPlace: item.node.place, node: item.node }
}

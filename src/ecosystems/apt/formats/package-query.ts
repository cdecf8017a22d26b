import type { Operator } from './package-query-operator.ts'
import { QueryScanner } from './package-query-scanner.ts'
import { type PackageFields, specialFields, type Term, termMatches } from './package-query-terms.ts'

/** Which packages are wanted. */
export interface PackageQuery {
  /** @param fields of a stanza of a Packages or Sources index; names in any spelling that `get` understands */
  matches(fields: PackageFields): boolean
}

/**
 * Reads a query in the notation of aptly and reprepro; docs/package-query.md describes it.
 *
 * ```text
 * query     = all { "|" all }
 * all       = one { "," one }
 * one       = "!" one | "(" query ")" | term
 * term      = field [ condition ] | name "_" version "_" architecture | name [ condition ] [ "{" architecture "}" ]
 * condition = "(" [ operator ] value ")"
 * operator  = "=" | "<<" | "<=" | "<" | ">>" | ">=" | ">" | "%" | "~"
 * ```
 *
 * A field starts with a capital letter or `$`; all else is the name of a package.
 * @throws ChantalError `CONFIG_INVALID` with the `position` in the text, counted from 1, what was `expected` there, and `found`
 * @see https://www.aptly.info/doc/feature/query/
 */
export function parsePackageQuery(text: string): PackageQuery {
  const scanner = new QueryScanner(text)
  const query = parseQuery(scanner, 0)
  scanner.expectEnd()
  return { matches: (fields) => nodeMatches(query, fields) }
}

type QueryNode =
  | { readonly kind: 'any' | 'all'; readonly parts: readonly QueryNode[] }
  | { readonly kind: 'not'; readonly part: QueryNode }
  | { readonly kind: 'term'; readonly term: Term }

function nodeMatches(node: QueryNode, fields: PackageFields): boolean {
  switch (node.kind) {
    case 'any':
      return node.parts.some((part) => nodeMatches(part, fields))
    case 'all':
      return node.parts.every((part) => nodeMatches(part, fields))
    case 'not':
      return !nodeMatches(node.part, fields)
    case 'term':
      return termMatches(node.term, fields)
  }
}

/** Of parentheses and negations. Who nests deeper has made the query with a program, and can have it make a flatter one. */
const maxDepth = 100

function parseQuery(scanner: QueryScanner, depth: number): QueryNode {
  return parseSequence(scanner, '|', 'any', () =>
    parseSequence(scanner, ',', 'all', () => parseOne(scanner, depth)),
  )
}

function parseSequence(
  scanner: QueryScanner,
  separator: '|' | ',',
  kind: 'any' | 'all',
  parsePart: () => QueryNode,
): QueryNode {
  const first = parsePart()
  const parts = [first]
  while (scanner.takes(separator)) parts.push(parsePart())
  return parts.length === 1 ? first : { kind, parts }
}

function parseOne(scanner: QueryScanner, depth: number): QueryNode {
  if (depth > maxDepth) throw scanner.mistake(`at most ${maxDepth} levels of parentheses and negations`)
  if (scanner.takes('!')) return { kind: 'not', part: parseOne(scanner, depth + 1) }
  if (!scanner.takes('(')) return { kind: 'term', term: parseTerm(scanner) }
  const query = parseQuery(scanner, depth + 1)
  scanner.expect(')')
  return query
}

function parseTerm(scanner: QueryScanner): Term {
  const name = scanner.takeName(
    (text) => !text.startsWith('$') || specialFields.has(text),
    `one of ${[...specialFields.keys()].join(', ')}`,
  )
  const operator = parseOperator(scanner)
  if (/^(?:\$|\p{Lu}[^_]*$)/u.test(name)) return { kind: 'field', name, operator }
  const reference = operator === null ? /^([^_]*)_(.*)_([^_]*)$/.exec(name) : null
  if (reference) {
    const [, packageName = '', version = '', architecture = ''] = reference
    return { kind: 'reference', name: packageName, version, architecture }
  }
  return { kind: 'package', name, operator, architecture: parseArchitecture(scanner) }
}

function parseOperator(scanner: QueryScanner): Operator | null {
  if (!scanner.takes('(')) return null
  const operator = scanner.takeOperator()
  scanner.expect(')')
  return operator
}

function parseArchitecture(scanner: QueryScanner): string | null {
  if (!scanner.takes('{')) return null
  const architecture = scanner.takeValue('an architecture')
  scanner.expect('}')
  return architecture
}

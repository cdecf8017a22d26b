import { type Comparison, type Operator, operatorHolds } from './package-query-operator.ts'

/** The fields of one package's index entry. */
export interface PackageFields {
  /** `null` for a field that is not there. */
  get(name: string): string | null
}

/** What a query says of one package. */
export type Term =
  | { readonly kind: 'field'; readonly name: string; readonly operator: Operator | null }
  | {
      readonly kind: 'reference'
      readonly name: string
      readonly version: string
      readonly architecture: string
    }
  | {
      readonly kind: 'package'
      readonly name: string
      /** Of its version. */
      readonly operator: Operator | null
      readonly architecture: string | null
    }

/** Fields that no index entry has by that name. */
export const specialFields: ReadonlyMap<string, (fields: PackageFields) => string> = new Map([
  ['$Architecture', architectureOf],
  ['$PackageType', typeOf],
  ['$Source', (fields) => (isSource(fields) ? '' : sourceOf(fields).name)],
  ['$SourceVersion', (fields) => (isSource(fields) ? '' : sourceOf(fields).version)],
  ['$Version', (fields) => textOf(fields, 'Version')],
])

export function termMatches(term: Term, fields: PackageFields): boolean {
  switch (term.kind) {
    case 'field':
      return fieldMatches(term.name, term.operator, fields)
    case 'reference':
      return (
        textOf(fields, 'Package') === term.name &&
        textOf(fields, 'Version') === term.version &&
        architectureOf(fields) === term.architecture
      )
    case 'package':
      if (term.architecture !== null && !hasArchitecture(fields, term.architecture)) return false
      if (textOf(fields, 'Package') !== term.name)
        return term.operator === null && provides(fields, term.name)
      return term.operator === null || operatorHolds(term.operator, textOf(fields, 'Version'), 'version')
  }
}

function fieldMatches(name: string, operator: Operator | null, fields: PackageFields): boolean {
  if (name === '$Architecture' && operator?.kind === 'equal') return hasArchitecture(fields, operator.value)
  const value = specialFields.get(name)?.(fields) ?? textOf(fields, name === 'Name' ? 'Package' : name)
  return operator === null ? value !== '' : operatorHolds(operator, value, comparisonOf(name))
}

function comparisonOf(name: string): Comparison {
  return ['$Version', 'Version', '$SourceVersion'].includes(name) ? 'version' : 'text'
}

function textOf(fields: PackageFields, name: string): string {
  return fields.get(name) ?? ''
}

/** Entries of Sources say in which folder their files are, those of Packages name one file. */
function isSource(fields: PackageFields): boolean {
  return fields.get('Directory') !== null && fields.get('Filename') === null
}

function typeOf(fields: PackageFields): string {
  if (isSource(fields)) return 'source'
  // Debian's indexes have no Package-Type.
  const isUdeb = fields.get('Package-Type') === 'udeb' || textOf(fields, 'Filename').endsWith('.udeb')
  return isUdeb ? 'udeb' : 'deb'
}

function architectureOf(fields: PackageFields): string {
  return isSource(fields) ? 'source' : textOf(fields, 'Architecture')
}

function hasArchitecture(fields: PackageFields, architecture: string): boolean {
  const own = architectureOf(fields)
  return own === architecture || (own === 'all' && architecture !== 'source')
}

/** `Source: name (version)`, where each is stated only if it is not the package's own. */
function sourceOf(fields: PackageFields): { readonly name: string; readonly version: string } {
  const [, name = '', version] = /^([^(]*)(?:\(([^)]*)\))?/.exec(textOf(fields, 'Source')) ?? []
  return {
    name: name.trim() || textOf(fields, 'Package'),
    version: version?.trim() || textOf(fields, 'Version'),
  }
}

/** `Provides: name, name (= version)`. */
function provides(fields: PackageFields, name: string): boolean {
  const stated = textOf(fields, 'Provides')
  return stated.includes(name) && stated.split(',').some((item) => item.replace(/\(.*/, '').trim() === name)
}

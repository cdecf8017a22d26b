import { ChantalError } from '../../../core/errors.ts'
import { FieldCursor } from './field-cursor.ts'
import { decodeStanza } from './stanza.ts'

/** Names in their usual spelling and in lower case, each to its usual spelling. */
export type WantedFields<Name extends string> = ReadonlyMap<string, Name>

export function wantedFields<Name extends string>(names: readonly Name[]): WantedFields<Name> {
  return new Map([
    ...names.map((name) => [name, name] as const),
    ...names.map((name) => [name.toLowerCase(), name] as const),
  ])
}

/** What a stanza says in the fields of interest, and nothing of the others. */
export class FoundFields<Name extends string> {
  readonly #values: ReadonlyMap<Name, string>
  readonly #what: string

  constructor(values: ReadonlyMap<Name, string>, what: string) {
    this.#values = values
    this.#what = what
  }

  /** `null` where it is absent or empty. */
  optional(name: Name): string | null {
    return this.#values.get(name) || null
  }

  /** @throws ChantalError `UPSTREAM_INVALID` where it is absent or empty */
  required(name: Name): string {
    const value = this.#values.get(name)
    if (value === undefined || value === '') throw this.invalid(`no ${name}`)
    return value
  }

  /** One word of ASCII, fit for keys, file names and lines of other formats. @throws ChantalError `UPSTREAM_INVALID` */
  token(name: Name): string {
    const value = this.required(name)
    if (!usable.test(value)) throw this.invalid(`an unusable ${name}: ${JSON.stringify(value.slice(0, 200))}`)
    if (value.length > longestWord) throw this.invalid(`a ${name} of ${value.length} characters`)
    return value
  }

  /** A whole number of at most 15 digits. @throws ChantalError `UPSTREAM_INVALID` */
  count(name: Name): number {
    const value = this.required(name)
    if (!/^[0-9]{1,15}$/.test(value)) {
      throw this.invalid(`a ${name} that is no number: ${JSON.stringify(value.slice(0, 200))}`)
    }
    return Number(value)
  }

  /** Names the index and the package. */
  invalid(problem: string, cause?: unknown): ChantalError {
    return new ChantalError('UPSTREAM_INVALID', `${this.describe()} has ${problem}`, { cause })
  }

  describe(): string {
    const name = [...this.#values].find(([field]) => field === 'Package')?.[1]
    return `${this.#what}: package ${name ? JSON.stringify(name.slice(0, 200)) : 'without a name'}`
  }
}

/** No file's name has more, and a key made of such words fits into an index of every database. */
const longestWord = 255
/** What is printed, but the separators of paths. dpkg allows less. */
const usable = /^[!-.0-[\]-~]+$/

/**
 * @throws ChantalError `UPSTREAM_INVALID` for a line that is no field, and a wanted field that is given twice with different values:
 * readers do not agree which counts
 */
export function findFields<Name extends string>(
  bytes: Uint8Array,
  wanted: WantedFields<Name>,
  what: string,
): FoundFields<Name> {
  const values = new Map<Name, string>()
  const found = new FoundFields(values, what)
  const cursor = new FieldCursor(decodeStanza(bytes), what)
  while (cursor.next()) {
    const written = cursor.name
    const name = wanted.get(written) ?? wanted.get(written.toLowerCase())
    if (name === undefined) continue
    const value = cursor.value
    const known = values.get(name)
    if (known !== undefined && known !== value) throw found.invalid(`${name} twice`)
    values.set(name, value)
  }
  return found
}

import { ChantalError } from '../../../core/errors.ts'
import { compileOperator, type Operator, operatorSigns } from './package-query-operator.ts'

/** Walks the text of a query, and says where it is not one. */
export class QueryScanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Goes past a character if it is what comes next. Blanks before it count for nothing, here and below. */
  takes(character: string): boolean {
    this.#skipBlanks()
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  expect(character: string): void {
    if (!this.takes(character)) throw this.mistake(JSON.stringify(character), quotesHint)
  }

  expectEnd(): void {
    this.#skipBlanks()
    if (this.#at === this.#text.length) return
    throw this.mistake('",", "|" or the end', this.#isAtOperator() ? conditionHint : quotesHint)
  }

  /** @param known what is expected where a name is not one that `isKnown` */
  takeName(isKnown: (name: string) => boolean, known: string): string {
    const expected = 'a field or the name of a package'
    this.#skipBlanks()
    if (this.#isAtOperator()) throw this.mistake(expected, conditionHint)
    const start = this.#at
    const name = this.#takeText(expected, nameEnd)
    if (isKnown(name)) return name
    this.#at = start
    throw this.mistake(known)
  }

  takeOperator(): Operator {
    this.#skipBlanks()
    const sign = operatorSigns.find((one) => this.#text.startsWith(one, this.#at))
    this.#at += sign?.length ?? 0
    this.#skipBlanks()
    const start = this.#at
    const expected = sign === undefined ? 'an operator or a value' : 'a value'
    const compiled = compileOperator(sign ?? '=', this.takeValue(expected))
    if (!('problem' in compiled)) return compiled
    this.#at = start
    throw this.mistake(
      sign === '~' ? 'a regular expression' : 'a pattern',
      `${compiled.problem}. ${quotesHint}`,
    )
  }

  takeValue(expected: string): string {
    this.#skipBlanks()
    return this.#takeText(expected, valueEnd)
  }

  /** For what comes next. */
  mistake(expected: string, hint: string = quotesHint): ChantalError<'CONFIG_INVALID'> {
    this.#skipBlanks()
    const found = this.#found()
    const position = this.#at + 1
    return new ChantalError(
      'CONFIG_INVALID',
      `package query: expected ${expected} at character ${position}, found ${found}`,
      { hint, details: { position, expected, found } },
    )
  }

  #takeText(expected: string, end: RegExp): string {
    const quote = this.#text[this.#at]
    if (quote === '"' || quote === "'") return this.#takeQuoted(quote)
    const length = this.#text.slice(this.#at).search(end)
    const text = length < 0 ? this.#text.slice(this.#at) : this.#text.slice(this.#at, this.#at + length)
    if (text === '') throw this.mistake(expected, this.#text[this.#at] === '!' ? notHint : quotesHint)
    this.#at += text.length
    return text
  }

  #takeQuoted(quote: string): string {
    let text = ''
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      if (this.#text[at] === quote) {
        this.#at = at + 1
        return text
      }
      if (this.#text[at] === '\\') at += 1
      text += this.#text[at] ?? ''
    }
    throw this.mistake('text with quotes around it', `Nothing ends the text that starts with ${quote}.`)
  }

  #isAtOperator(): boolean {
    return operatorSigns.some((sign) => this.#text.startsWith(sign, this.#at))
  }

  #skipBlanks(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at += 1
  }

  #found(): string {
    const rest = this.#text.slice(this.#at, this.#at + 40)
    if (rest === '') return 'the end'
    const [word] = /^(?:[^\s()|,!{}]+|.)/su.exec(rest) ?? [rest]
    return JSON.stringify(word)
  }
}

const nameEnd = /[\s()|,!{}]/
/** An opening parenthesis in a value is part of it, as in aptly. */
const valueEnd = /[\s)|,!{}]/

const quotesHint = 'Put text with blanks or any of ()|,!{} in quotes.'
const conditionHint = 'Put conditions in parentheses: Name (= value).'
const notHint = 'Put "!" before what is not to be: !Name (= value).'

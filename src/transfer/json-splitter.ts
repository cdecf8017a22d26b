import { importInvalid } from './import-invalid.ts'

/** A value of the document's object, or one of the array that is taken apart. */
export interface JsonMember {
  readonly name: string
  /** Of an element; `null` for a value that was taken whole. */
  readonly index: number | null
  readonly value: unknown
  /** That it begins in, from 1. */
  readonly line: number
  /** In bytes, as it was written. */
  readonly size: number
}

export interface JsonLimits {
  /** Bytes of one value. */
  readonly maxValue: number
  /** How deep arrays and objects of one value lie in each other. */
  readonly maxDepth: number
}

type State =
  | 'document'
  | 'first name'
  | 'name'
  | 'colon'
  | 'value'
  | 'end of value'
  | 'first element'
  | 'element'
  | 'end of element'
  | 'done'

const code = {
  newline: 0x0a,
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  open: 0x5b,
  backslash: 0x5c,
  close: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
}

/**
 * Takes a JSON document apart while it arrives: an object, of which one member is an array that may be larger than memory. Each other
 * member, and each element of that array, is found by its brackets and quotes and given to `JSON.parse`, which knows the rest.
 * @see RFC 8259
 */
export class JsonSplitter {
  readonly #streamed: string
  readonly #limits: JsonLimits
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #state: State = 'document'
  #name = ''
  #index = 0
  #line = 1
  /** Of the value that is being read: its bytes from earlier chunks, and how it stands. */
  #kept: Uint8Array[] = []
  #keptSize = 0
  #startLine = 1
  #isInValue = false
  #isInString = false
  #isEscaped = false
  #depth = 0

  /** @param streamed the member that is taken apart; anything but an array there is taken whole */
  constructor(streamed: string, limits: JsonLimits) {
    this.#streamed = streamed
    this.#limits = limits
  }

  /** @throws ChantalError `IMPORT_INVALID` naming the line */
  *write(chunk: Uint8Array): Generator<JsonMember> {
    let position = 0
    while (position < chunk.length) {
      if (this.#isInValue) {
        const end = this.#endOfValue(chunk, position)
        // What is kept beyond this call is a copy: whoever reads may use its buffer again.
        this.#keep(end === null ? new Uint8Array(chunk.subarray(position)) : chunk.subarray(position, end))
        if (end === null) return
        position = end
        const member = this.#finishValue()
        if (member) yield member
        continue
      }
      const byte = chunk[position] ?? 0
      if (byte === 0x20 || byte === code.newline || byte === 0x0d || byte === 0x09) {
        if (byte === code.newline) this.#line += 1
        position += 1
      } else if (!this.#takesPunctuation(byte)) {
        this.#beginValue()
      } else position += 1
    }
  }

  /** @throws ChantalError `IMPORT_INVALID` where the document is not at its end */
  end(): void {
    if (this.#state !== 'done') throw this.#invalid('the document ends before it is complete')
  }

  /** @returns whether the byte stands between values; else a value begins with it */
  #takesPunctuation(byte: number): boolean {
    const step = (next: State) => {
      this.#state = next
      return true
    }
    switch (this.#state) {
      case 'document':
        if (byte === code.openObject) return step('first name')
        break
      case 'first name':
        if (byte === code.closeObject) return step('done')
        if (byte === code.quote) return false
        break
      case 'name':
        if (byte === code.quote) return false
        break
      case 'colon':
        if (byte === code.colon) return step('value')
        break
      case 'value':
        if (byte === code.open && this.#name === this.#streamed) {
          this.#index = 0
          return step('first element')
        }
        return false
      case 'end of value':
        if (byte === code.comma) return step('name')
        if (byte === code.closeObject) return step('done')
        break
      case 'first element':
        return byte === code.close ? step('end of value') : false
      case 'element':
        return false
      case 'end of element':
        if (byte === code.comma) return step('element')
        if (byte === code.close) return step('end of value')
        break
      case 'done':
        break
    }
    throw this.#invalid(`unexpected ${JSON.stringify(String.fromCharCode(byte))}`)
  }

  #beginValue(): void {
    this.#isInValue = true
    this.#startLine = this.#line
    this.#depth = 0
  }

  /** @returns the index after the value's last byte; `null` where that is not in this chunk */
  #endOfValue(chunk: Uint8Array, start: number): number | null {
    for (let index = start; index < chunk.length; index++) {
      const byte = chunk[index]
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (byte === code.backslash) this.#isEscaped = true
        else if (byte === code.quote) {
          this.#isInString = false
          if (this.#depth === 0) return index + 1
        }
        continue
      }
      switch (byte) {
        case code.quote:
          this.#isInString = true
          break
        case code.open:
        case code.openObject:
          this.#depth += 1
          if (this.#depth > this.#limits.maxDepth) throw this.#invalid('nested too deeply')
          break
        case code.close:
        case code.closeObject:
          // Of what is around a number or a word.
          if (this.#depth === 0) return index
          this.#depth -= 1
          if (this.#depth === 0) return index + 1
          break
        case code.comma:
        case 0x20:
        case 0x0d:
        case 0x09:
          if (this.#depth === 0) return index
          break
        case code.newline:
          if (this.#depth === 0) return index
          this.#line += 1
          break
        default:
          break
      }
    }
    return null
  }

  #keep(bytes: Uint8Array): void {
    this.#keptSize += bytes.length
    if (this.#keptSize > this.#limits.maxValue)
      throw this.#invalid(`a value of more than ${this.#limits.maxValue} bytes`)
    this.#kept.push(bytes)
  }

  #finishValue(): JsonMember | null {
    const [first] = this.#kept
    const bytes = this.#kept.length === 1 && first ? first : Buffer.concat(this.#kept)
    const value = this.#parse(bytes)
    const size = this.#keptSize
    this.#kept = []
    this.#keptSize = 0
    this.#isInValue = false
    const line = this.#startLine
    switch (this.#state) {
      case 'first name':
      case 'name':
        this.#name = String(value)
        this.#state = 'colon'
        return null
      case 'value':
        this.#state = 'end of value'
        return { name: this.#name, index: null, value, line, size }
      default: {
        this.#state = 'end of element'
        const index = this.#index
        this.#index += 1
        return { name: this.#name, index, value, line, size }
      }
    }
  }

  #parse(bytes: Uint8Array): unknown {
    try {
      return JSON.parse(this.#decoder.decode(bytes))
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error
      const what = error instanceof SyntaxError ? error.message : 'bytes that are not UTF-8'
      throw importInvalid(`line ${this.#startLine}`, `not JSON: ${what}`, { cause: error })
    }
  }

  #invalid(message: string) {
    return importInvalid(`line ${this.#line}`, `not a JSON document as it should be: ${message}`)
  }
}

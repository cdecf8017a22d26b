import { load, YAMLException } from 'js-yaml'
import { importInvalid } from './import-invalid.ts'

/** One document of a stream. */
export interface YamlDocument {
  readonly value: unknown
  /** That it begins in, from 1. */
  readonly line: number
  /** In bytes, as it was written. */
  readonly size: number
}

export interface YamlLimits {
  /** Bytes of one document. */
  readonly maxValue: number
  /** How deep collections of one document lie in each other. */
  readonly maxDepth: number
}

const newline = 0x0a

/**
 * Takes a YAML stream apart while it arrives. A line that begins with `---` or `...` is never content, whatever is around it, so documents
 * are found by their lines. Aliases are refused: a few would make a document of any size.
 * @see YAML 1.2.2, 9.1.4
 */
export class YamlSplitter {
  readonly #limits: YamlLimits
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #kept: Uint8Array[] = []
  #keptSize = 0
  #startLine = 1
  #line = 1
  /** The beginning of a line whose end has not arrived. */
  #partial: Uint8Array[] = []
  #partialSize = 0

  constructor(limits: YamlLimits) {
    this.#limits = limits
  }

  /** @throws ChantalError `IMPORT_INVALID` naming the line */
  *write(chunk: Uint8Array): Generator<YamlDocument> {
    // What is kept beyond this call is a copy: whoever reads may use its buffer again.
    const bytes = new Uint8Array(chunk)
    let start = 0
    while (start < bytes.length) {
      const end = bytes.indexOf(newline, start)
      if (end === -1) {
        this.#partial.push(bytes.subarray(start))
        this.#partialSize += bytes.length - start
        this.#limit()
        return
      }
      yield* this.#addLine(this.#wholeLine(bytes.subarray(start, end + 1)))
      start = end + 1
    }
  }

  *end(): Generator<YamlDocument> {
    if (this.#partialSize > 0) yield* this.#addLine(this.#wholeLine(new Uint8Array()))
    yield* this.#finish()
  }

  #wholeLine(rest: Uint8Array): Uint8Array {
    if (this.#partialSize === 0) return rest
    const line = Buffer.concat([...this.#partial, rest])
    this.#partial = []
    this.#partialSize = 0
    return line
  }

  *#addLine(line: Uint8Array): Generator<YamlDocument> {
    const marker = markerOf(line)
    if (marker !== null) {
      yield* this.#finish()
      this.#startLine = this.#line
    }
    this.#line += 1
    if (marker === 'end') return
    this.#kept.push(line)
    this.#keptSize += line.length
    this.#limit()
  }

  *#finish(): Generator<YamlDocument> {
    const bytes = Buffer.concat(this.#kept)
    this.#kept = []
    this.#keptSize = 0
    if (isBlank(bytes)) return
    yield { value: this.#parse(bytes), line: this.#startLine, size: bytes.length }
  }

  #parse(bytes: Uint8Array): unknown {
    try {
      return load(this.#decoder.decode(bytes), { maxAliases: 0, maxDepth: this.#limits.maxDepth })
    } catch (error) {
      if (error instanceof YAMLException) {
        const line = this.#startLine + (error.mark?.line ?? 0)
        throw importInvalid(`line ${line}`, `not YAML: ${error.reason}`, { cause: error })
      }
      // The parser's documentation says that it throws others too.
      const what = error instanceof Error ? error.message : String(error)
      throw importInvalid(`line ${this.#startLine}`, `not YAML: ${what}`, { cause: error })
    }
  }

  #limit(): void {
    if (this.#keptSize + this.#partialSize > this.#limits.maxValue)
      throw importInvalid(`line ${this.#startLine}`, `a document of more than ${this.#limits.maxValue} bytes`)
  }
}

const dash = 0x2d
const dot = 0x2e

/** Three dashes begin a document, three dots end one; what stands after them is apart from them by white space. */
function markerOf(line: Uint8Array): 'start' | 'end' | null {
  const [first, second, third, fourth = newline] = line
  if (first !== second || first !== third || (first !== dash && first !== dot)) return null
  if (fourth !== newline && fourth !== 0x0d && fourth !== 0x20 && fourth !== 0x09) return null
  return first === dash ? 'start' : 'end'
}

/** Whether nothing but comments and white space is there. */
function isBlank(bytes: Buffer): boolean {
  if (bytes.length > 4096) return false
  const lines = bytes.toString().replace(/^---/, '').split('\n')
  return lines.every((line) => /^\s*(#|$)/.test(line))
}

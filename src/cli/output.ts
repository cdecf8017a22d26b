import { type MachineValue, toMachine } from './render/machine.ts'
import { type Column, printable, renderCsv, renderRecordsCsv, renderTable } from './render/table.ts'
import type { Terminal } from './services.ts'

export type Format = 'table' | 'json' | 'csv'

export interface OutputOptions {
  /** Tables leave out what does not fit; absent where they are not to be cut. */
  readonly columns?: number | undefined
  readonly beforeWriting?: () => void
}

/** Results go to standard output, in the format that was asked for. */
export class Output {
  readonly format: Format
  readonly #terminal: Terminal
  readonly #options: OutputOptions

  constructor(format: Format, terminal: Terminal, options: OutputOptions = {}) {
    this.format = format
    this.#terminal = terminal
    this.#options = options
  }

  /**
   * A list: an array for machines.
   * @param machine a row as machines have it, where that is not the row itself
   * @param empty what people read in place of an empty table
   */
  list<Row>(
    rows: readonly Row[],
    shape: {
      readonly columns: readonly Column<Row>[]
      readonly machine?: (row: Row) => unknown
      readonly empty: string
    },
  ): void {
    if (this.format === 'json') this.json(rows.map((row) => (shape.machine ? shape.machine(row) : row)))
    else if (this.format === 'csv') this.#write(renderCsv(shape.columns, rows))
    else this.text(rows.length === 0 ? shape.empty : renderTable(shape.columns, rows, this.#options.columns))
  }

  /**
   * One thing: an object for machines, lines for people.
   * @param rows what CSV has, where that is not the thing itself: a row for each of its parts
   */
  one(value: unknown, lines: () => readonly string[], rows: readonly object[] = rowsOf(value)): void {
    if (this.format === 'json') this.json(value)
    else if (this.format === 'csv') this.#write(renderRecordsCsv(rows.map(toMachine)))
    else this.text(lines().join('\n').split('\n').map(printable).join('\n'))
  }

  json(value: unknown): void {
    this.verbatimJson(toMachine(value))
  }

  /** A document whose names are not ours to spell: the configuration, a schema. */
  verbatimJson(document: MachineValue): void {
    this.#write(`${JSON.stringify(document, null, 2)}\n`)
  }

  text(text: string): void {
    if (text !== '') this.#write(text.endsWith('\n') ? text : `${text}\n`)
  }

  #write(text: string): void {
    this.#options.beforeWriting?.()
    this.#terminal.stdout.write(text)
  }
}

function rowsOf(value: unknown): readonly object[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values.filter((item) => typeof item === 'object' && item !== null)
}

/** `key: value` lines, aligned. */
export function facts(entries: readonly (readonly [string, string | number | null])[]): readonly string[] {
  const width = Math.max(...entries.map(([key]) => key.length)) + 1
  return entries.map(([key, value]) => `${`${key}:`.padEnd(width)} ${printable(String(value ?? '-'))}`)
}

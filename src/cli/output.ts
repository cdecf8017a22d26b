import { type MachineValue, toMachine } from './render/machine.ts'
import { type Column, renderCsv, renderTable } from './render/table.ts'
import type { Terminal } from './services.ts'

export type Format = 'table' | 'json' | 'csv'

/** Results go to standard output, in the format that was asked for. */
export class Output {
  readonly format: Format
  readonly #terminal: Terminal

  constructor(format: Format, terminal: Terminal) {
    this.format = format
    this.#terminal = terminal
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
    else if (this.format === 'csv') this.#terminal.stdout.write(renderCsv(shape.columns, rows))
    else this.text(rows.length === 0 ? shape.empty : renderTable(shape.columns, rows))
  }

  /** One thing: an object for machines; for people lines, and for CSV as them. */
  one(value: unknown, lines: () => readonly string[]): void {
    if (this.format === 'json') this.json(value)
    else this.text(lines().join('\n'))
  }

  json(value: unknown): void {
    this.verbatimJson(toMachine(value))
  }

  /** A document whose names are not ours to spell: the configuration, a schema. */
  verbatimJson(document: MachineValue): void {
    this.#terminal.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
  }

  text(text: string): void {
    if (text !== '') this.#terminal.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  }
}

/** `key: value` lines, aligned. */
export function facts(entries: readonly (readonly [string, string | number | null])[]): readonly string[] {
  const width = Math.max(...entries.map(([key]) => key.length)) + 1
  return entries.map(([key, value]) => `${`${key}:`.padEnd(width)} ${value ?? '-'}`)
}

import type { MachineValue } from './machine.ts'

/** A column of a list, for people and for CSV. */
export interface Column<Row> {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** Left out of a table that is too wide, the highest number first. Without a number it always stays. */
  readonly spare?: number
  /** As people read it. */
  readonly show: (row: Row) => string
  /** As CSV has it, where that is not what people read: bytes as integers, times as ISO 8601. */
  readonly csv?: (row: Row) => string | number | null
}

/**
 * Columns as wide as they must be, two spaces between them; no line longer for trailing blanks.
 * @param width columns of the terminal: spare columns that do not fit are left out
 */
export function renderTable<Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  width = Number.POSITIVE_INFINITY,
): string {
  const columns = fitting(all, rows, width)
  const cells = rows.map((row) => columns.map((column) => printable(column.show(row))))
  const widths = columns.map((column, index) =>
    cells.reduce((width, line) => Math.max(width, line[index]?.length ?? 0), column.title.length),
  )
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => {
        const width = widths[index] ?? 0
        return columns[index]?.align === 'right' ? text.padStart(width) : text.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return [line(columns.map(({ title }) => title)), ...cells.map(line), ''].join('\n')
}

function fitting<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): readonly Column<Row>[] {
  const widthOf = ({ title, show }: Column<Row>) =>
    rows.reduce((widest, row) => Math.max(widest, printable(show(row)).length), title.length) + 2
  const widths = new Map(columns.map((column) => [column, widthOf(column)]))
  const left = new Set(columns)
  const spare = columns
    .filter((column) => column.spare !== undefined)
    .sort((a, b) => (b.spare ?? 0) - (a.spare ?? 0))
  let total = [...widths.values()].reduce((sum, each) => sum + each, -2)
  for (const column of spare) {
    if (total <= width) break
    left.delete(column)
    total -= widths.get(column) ?? 0
  }
  return columns.filter((column) => left.has(column))
}

/** RFC 4180, lines ending in CRLF as it says, titles in snake case first. */
export function renderCsv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const title = ({ title }: Column<Row>) => title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')
  const lines = rows.map((row) =>
    columns.map((column) => quote(String((column.csv ?? column.show)(row) ?? ''))).join(','),
  )
  return [columns.map(title).join(','), ...lines, ''].join('\r\n')
}

/** Objects of one shape, as CSV: their names first; what is no plain value is JSON. */
export function renderRecordsCsv(records: readonly MachineValue[]): string {
  const rows = records.map((record) => new Map(Object.entries(record ?? {})))
  const names = [...new Set(rows.flatMap((row) => [...row.keys()]))]
  const cell = (value: unknown) =>
    value === null || value === undefined
      ? ''
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value)
  return [
    names.join(','),
    ...rows.map((row) => names.map((name) => quote(cell(row.get(name)))).join(',')),
    '',
  ].join('\r\n')
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** What comes from upstream may not move the cursor, begin a line, nor turn the order of what is read. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => {
      const code = character.charCodeAt(0)
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
    },
  )
}

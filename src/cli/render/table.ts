/** A column of a list, for people and for CSV. */
export interface Column<Row> {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** As people read it. */
  readonly show: (row: Row) => string
  /** As CSV has it, where that is not what people read: bytes as integers, times as ISO 8601. */
  readonly csv?: (row: Row) => string | number | null
}

/** Columns as wide as they must be, two spaces between them; no line longer for trailing blanks. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
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

/** RFC 4180, lines ending in CRLF as it says, titles in snake case first. */
export function renderCsv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const title = ({ title }: Column<Row>) => title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')
  const lines = rows.map((row) =>
    columns.map((column) => quote(String((column.csv ?? column.show)(row) ?? ''))).join(','),
  )
  return [columns.map(title).join(','), ...lines, ''].join('\r\n')
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** What comes from upstream may not move the cursor. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

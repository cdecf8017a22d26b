import { ChantalError } from '../../../core/errors.ts'
import { FieldCursor, trimmedEnd, trimmedStart } from './field-cursor.ts'
import { asBuffer } from './stanza.ts'

/**
 * One stanza, ended by a line break, without the empty line after it. A value's further lines are folded with one blank,
 * empty ones as ` .`, so no value can end the stanza or begin a field. Where the first line is empty, the value starts below
 * the name (`Files`, `SHA256`).
 * @throws ChantalError `UPSTREAM_INVALID` for a name that is none, one that is given twice, and a value with a character that
 * some reader takes for a line break, or another control character but tab
 * @see Debian Policy 5.1, “Syntax of control files”
 */
export function serializeStanza(fields: readonly (readonly [name: string, value: string])[]): string {
  const names = new Set<string>()
  let text = ''
  for (const [name, value] of fields) {
    checkName(name)
    if (names.has(name.toLowerCase())) throw unusable(name, 'is given twice')
    names.add(name.toLowerCase())
    text += serializeField(name, value)
  }
  return text
}

/**
 * The same stanza with one field's value replaced, or appended where there is none; with `null` without the field. Every
 * other byte stays. The value that the field has already gives the same bytes. Of a field that is given twice one is left,
 * where the last was.
 * @param value of one line
 * @throws ChantalError `UPSTREAM_INVALID` for a name that is none, a value with a control character, and a stanza with a line
 * that is no field
 */
export function replaceField(bytes: Uint8Array, name: string, value: string | null): Uint8Array {
  checkName(name)
  const buffer = asBuffer(bytes)
  const fields = fieldsNamed(buffer, name)
  const last = fields.at(-1)
  if (value === (last?.value ?? null)) return bytes
  if (value !== null && /[\n\t]/.test(value)) throw unusable(name, 'has a value of more than one line')
  const line = value === null ? '' : serializeField(last?.name ?? name, value)
  if (last === undefined) {
    const isEnded = buffer.byteLength === 0 || buffer.at(-1) === lineFeed
    return Buffer.concat([buffer, Buffer.from(isEnded ? line : `\n${line}`)])
  }

  const parts: Uint8Array[] = []
  let kept = 0
  for (const field of fields) {
    parts.push(buffer.subarray(kept, field.start))
    if (field === last) parts.push(Buffer.from(line))
    kept = field.end
  }
  return Buffer.concat([...parts, buffer.subarray(kept)])
}

interface FoundField {
  readonly name: string
  readonly value: string
  /** In bytes. */
  readonly start: number
  readonly end: number
}

function fieldsNamed(buffer: Buffer, name: string): readonly FoundField[] {
  const wanted = name.toLowerCase()
  const found: FoundField[] = []
  const cursor = new FieldCursor(buffer.toString('latin1'), 'stanza')
  while (cursor.next()) {
    if (cursor.nameEnd - cursor.start !== wanted.length || cursor.name.toLowerCase() !== wanted) continue
    const value = Buffer.from(cursor.value, 'latin1').toString('utf8')
    found.push({ name: cursor.name, value, start: cursor.start, end: cursor.end })
  }
  return found
}

function serializeField(name: string, value: string): string {
  if (disallowed.test(value)) throw unusable(name, 'has a control character in its value')
  const [first = '', ...further] = value.split('\n')
  // What readers take off, and no more: the white space of other alphabets is part of a value.
  const from = trimmedStart(first, 0, first.length)
  const trimmed = first.slice(from, trimmedEnd(first, from, first.length))
  const start = trimmed === '' ? `${name}:\n` : `${name}: ${trimmed}\n`
  return start + further.map((line) => (isBlank(line) ? ' .\n' : ` ${line}\n`)).join('')
}

const lineFeed = 0x0a

/** Controls but tab and line feed, and what Unicode calls a line or paragraph separator. */
const disallowed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/

/** Also where only the white space of other alphabets stands: some readers see nothing there. */
function isBlank(line: string): boolean {
  return line.trim() === ''
}

/** Policy allows any printable ASCII but the colon; `#` and `-` may not stand first. */
function checkName(name: string): void {
  if (!/^(?![#-])[!-9;-~]+$/.test(name)) throw unusable(name, 'is no field name')
}

function unusable(name: string, problem: string): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `field ${JSON.stringify(name.slice(0, 200))} ${problem}`)
}

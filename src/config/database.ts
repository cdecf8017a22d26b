import type { z } from 'zod'
import type { DocumentReader } from './document-reader.ts'
import { decodePercent } from './percent-decoding.ts'
import type { databaseSchema } from './schema.ts'
import type { DatabaseSettings } from './settings.ts'

const path = ['database'] as const

/**
 * The catalog's database. A password comes from `password_file`, the URL, or `PGPASSWORD`, in this order, and leaves the URL.
 * A `password_file` that cannot be read is a mistake: nearly every command needs the catalog, and no other password stands in for it.
 */
export async function buildDatabase(
  document: z.infer<typeof databaseSchema>,
  defaultFile: string,
  reader: DocumentReader,
): Promise<DatabaseSettings> {
  const fallback: DatabaseSettings = { kind: 'sqlite', file: defaultFile }
  const { url: text, password_file } = document
  const at = [...path, 'url']
  if (text === undefined || text.startsWith('sqlite:')) {
    if (password_file !== undefined)
      reader.wrong([...path, 'password_file'], 'a SQLite database has no password')
    if (text === undefined) return fallback
    const [, file] = /^sqlite:\/\/\/([^?#]+)$/.exec(text) ?? []
    if (file !== undefined && file !== ':memory:') return { kind: 'sqlite', file: reader.resolve(at, file) }
    reader.wrong(at, 'expected sqlite:///FILE; an absolute FILE makes it four slashes')
    return fallback
  }
  const url = /^postgres(ql)?(\+\w+)?:\/\//.test(text)
    ? URL.parse(text.replace(/^postgres(ql)?(\+\w+)?:/, 'postgresql:'))
    : null
  if (!url) {
    reader.wrong(at, 'expected sqlite:///FILE or postgresql://user@host/name')
    return fallback
  }
  const inUrl = url.password === '' ? null : decodePercent(url.password)
  url.password = ''
  const before = reader.unreadable.length
  const fromFile = await reader.secret(path, 'password', { value: undefined, file: password_file })
  reader.mistakes.push(...reader.unreadable.splice(before))
  return {
    kind: 'postgresql',
    url,
    password: fromFile ?? inUrl ?? (reader.environment['PGPASSWORD'] || null),
  }
}

import type { z } from 'zod'
import { withoutTrailing } from '../core/trailing.ts'
import type { Credentials } from '../download/downloader.ts'
import type { DocumentPath } from './document.ts'
import type { DocumentReader } from './document-reader.ts'
import type { ParsedFeed } from './feed.ts'
import type { authSchema } from './schema.ts'

/** What is sent upstream: `auth`, else what stood in the feed's URL. A client certificate is TLS's, not this. */
export async function buildCredentials(
  auth: z.infer<typeof authSchema> | undefined,
  fromUrl: ParsedFeed['credentials'],
  path: DocumentPath,
  reader: DocumentReader,
): Promise<Credentials> {
  if (fromUrl && auth && auth.type !== 'client_cert') {
    reader.wrong(path, 'the URL of the feed has a login already', 'Leave it in one place, best in "auth".')
  }
  switch (auth?.type) {
    case undefined:
    case 'client_cert':
      return fromUrl ? { kind: 'basic', ...fromUrl } : { kind: 'none' }
    case 'basic': {
      if (auth.username.includes(':')) reader.wrong([...path, 'username'], 'a user name has no ":" in it')
      const password = await required('password', { value: auth.password, file: auth.password_file })
      return { kind: 'basic', username: auth.username, password }
    }
    case 'bearer': {
      const token = await required('token', { value: auth.token, file: auth.token_file })
      if (!isHeaderValue(token))
        reader.wrong([...path, 'token'], 'a token is one line of printable characters')
      return { kind: 'bearer', token }
    }
    case 'headers':
      return { kind: 'headers', headers: await headersOf(auth.headers) }
  }

  async function required(
    key: string,
    values: { value: string | undefined; file: string | undefined },
  ): Promise<string> {
    if (values.value === undefined && values.file === undefined) {
      reader.wrong([...path, key], `missing key "${key}"`, `Give "${key}" or "${key}_file".`)
    }
    return (await reader.secret(path, key, values)) ?? ''
  }

  async function headersOf(
    given: Readonly<Record<string, string | { file: string }>>,
  ): Promise<Record<string, string>> {
    const headers: [string, string][] = []
    for (const [name, value] of Object.entries(given)) {
      const at = [...path, 'headers', name]
      if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) reader.wrong(at, 'not the name of a header')
      const text =
        typeof value === 'string'
          ? value
          : withoutTrailing((await reader.text([...at, 'file'], value.file)) ?? '', '\r\n')
      if (!isHeaderValue(text)) reader.wrong(at, 'a header is one line of printable characters')
      headers.push([name, text])
    }
    return Object.fromEntries(headers)
  }
}

function isHeaderValue(text: string): boolean {
  return !/[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/.test(text)
}

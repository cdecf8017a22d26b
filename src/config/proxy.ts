import type { z } from 'zod'
import type { ProxySettings } from '../download/downloader.ts'
import type { DocumentPath } from './document.ts'
import type { DocumentReader } from './document-reader.ts'
import { decodePercent } from './percent-decoding.ts'
import type { proxySchema } from './schema.ts'

/** Proxies of one repository. A login in a proxy's URL is taken out of it. */
export async function buildProxy(
  document: z.infer<typeof proxySchema> | undefined,
  path: DocumentPath,
  reader: DocumentReader,
): Promise<ProxySettings> {
  const http = parseProxy(document?.http_proxy, [...path, 'http_proxy'], reader)
  const https = parseProxy(document?.https_proxy, [...path, 'https_proxy'], reader)
  const hosts = document?.no_proxy ?? []
  const password =
    document &&
    (await reader.secret(path, 'password', { value: document.password, file: document.password_file }))
  const login = https?.login ?? http?.login
  return {
    http: http?.url ?? null,
    https: https?.url ?? null,
    noProxy: (typeof hosts === 'string' ? hosts.split(',') : hosts)
      .map((host) => host.trim())
      .filter((host) => host !== ''),
    username: document?.username ?? login?.username ?? null,
    password: password ?? login?.password ?? null,
  }
}

function parseProxy(text: string | undefined, path: DocumentPath, reader: DocumentReader) {
  if (text === undefined || text === '') return null
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    reader.wrong(path, 'expected the URL of a proxy, such as http://proxy.example.com:3128')
    return null
  }
  const login =
    url.username === ''
      ? null
      : { username: decodePercent(url.username), password: decodePercent(url.password) }
  url.username = ''
  url.password = ''
  return { url, login }
}

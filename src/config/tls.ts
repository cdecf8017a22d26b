import type { z } from 'zod'
import type { TlsSettings } from '../download/downloader.ts'
import type { DocumentPath } from './document.ts'
import type { DocumentReader } from './document-reader.ts'
import { exists, findEntitlement, redHatAuthority } from './entitlement.ts'
import type { authSchema, sslSchema } from './schema.ts'

type SslDocument = z.infer<typeof sslSchema>

/** A section and where it stands. */
export interface Part<T> {
  readonly value: T
  readonly path: DocumentPath
}

/** TLS of one repository: its own keys before the shared ones; the client certificate of `auth` before both. */
export async function buildTls(
  own: Part<SslDocument | undefined>,
  shared: Part<SslDocument | undefined>,
  auth: Part<z.infer<typeof authSchema> | undefined>,
  reader: DocumentReader,
): Promise<TlsSettings> {
  const bundle = own.value?.ca_bundle === undefined ? shared : own
  const client = own.value?.client_cert === undefined && own.value?.client_key === undefined ? shared : own
  const verify = own.value?.verify ?? shared.value?.verify ?? true
  let ca = await inlineOrFile(bundle.value?.ca_bundle, [...bundle.path, 'ca_bundle'], reader)
  if (auth.value?.type !== 'client_cert') {
    const pair = await readPair(
      client.value?.client_cert,
      client.value?.client_key,
      ['client_cert', 'client_key'],
      client.path,
      reader,
    )
    return { verify, ca, ...pair }
  }
  if (client === own && own.value?.client_cert !== undefined) {
    reader.wrong(
      [...own.path, 'client_cert'],
      'the certificate stands in "auth" already',
      'Leave it in one place.',
    )
  }
  const { cert, key, cert_dir } = auth.value
  if (cert_dir === undefined) {
    if (cert === undefined && key === undefined) {
      reader.wrong(auth.path, 'a client certificate needs "cert" and "key", or "cert_dir"')
    }
    return { verify, ca, ...(await readPair(cert, key, ['cert', 'key'], auth.path, reader)) }
  }
  if (cert !== undefined || key !== undefined)
    reader.wrong([...auth.path, 'cert_dir'], 'give "cert" and "key", or "cert_dir", not both')
  if (ca === null && bundle.value?.ca_bundle === undefined && (await exists(redHatAuthority))) {
    ca = await reader.text([...auth.path, 'cert_dir'], redHatAuthority)
  }
  const found = await findEntitlement(reader.resolve([...auth.path, 'cert_dir'], cert_dir), reader.now)
  if (!('problem' in found)) return { verify, ca, ...found }
  reader.unreadable.push(reader.mistake([...auth.path, 'cert_dir'], found.problem, 'Is the host registered?'))
  return { verify, ca, certificate: null, key: null }
}

async function readPair(
  certificate: string | undefined,
  key: string | undefined,
  [certificateName, keyName]: readonly [string, string],
  path: DocumentPath,
  reader: DocumentReader,
): Promise<{ readonly certificate: string | null; readonly key: string | null }> {
  if (certificate === undefined && key === undefined) return { certificate: null, key: null }
  if (certificate === undefined || key === undefined) {
    const [there, missing] =
      certificate === undefined ? [keyName, certificateName] : [certificateName, keyName]
    reader.wrong([...path, there], `"${there}" needs "${missing}" beside it`)
    return { certificate: null, key: null }
  }
  return {
    certificate: await inlineOrFile(certificate, [...path, certificateName], reader),
    key: await inlineOrFile(key, [...path, keyName], reader),
  }
}

async function inlineOrFile(
  value: string | undefined,
  path: DocumentPath,
  reader: DocumentReader,
): Promise<string | null> {
  if (value === undefined) return null
  return value.trimStart().startsWith('-----BEGIN ') ? value : reader.text(path, value)
}

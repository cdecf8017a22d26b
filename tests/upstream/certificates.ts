import { execFile, execFileSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

/** PEM throughout. The server's certificate is for 127.0.0.1 and localhost; both are signed by `authority`. */
export interface Certificates {
  readonly authority: string
  readonly server: { readonly certificate: string; readonly key: string }
  readonly client: { readonly certificate: string; readonly key: string }
}

/** Why certificates cannot be made here; `null` where they can. */
export function whyNoCertificates(): string | null {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return null
  } catch {
    return 'openssl is not installed'
  }
}

/** Makes an authority of its own and two certificates, fresh for each call. */
export async function createCertificates(): Promise<Certificates> {
  const folder = await fs.mkdtemp(path.join(tmpdir(), 'chantal-certificates-'))
  const run = (...parameters: string[]) => promisify(execFile)('openssl', parameters, { cwd: folder })
  const newKey = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-x509',
  ]
  const read = (name: string) => fs.readFile(path.join(folder, name), 'utf8')
  const sign = async (name: string, ...extensions: string[]) => {
    const signedBy = [
      '-CA',
      'authority.pem',
      '-CAkey',
      'authority.key',
      '-addext',
      'basicConstraints=critical,CA:FALSE',
    ]
    const added = extensions.flatMap((extension) => ['-addext', extension])
    await run(
      'req',
      ...newKey,
      ...signedBy,
      ...added,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    )
    return { certificate: await read(`${name}.pem`), key: await read(`${name}.key`) }
  }
  try {
    await run(
      'req',
      ...newKey,
      '-subj',
      '/CN=test authority',
      '-keyout',
      'authority.key',
      '-out',
      'authority.pem',
    )
    return {
      authority: await read('authority.pem'),
      server: await sign('server', 'subjectAltName=IP:127.0.0.1,DNS:localhost'),
      client: await sign('client'),
    }
  } finally {
    await fs.rm(folder, { recursive: true })
  }
}

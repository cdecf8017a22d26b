import { describe, expect, it } from 'vitest'
import { displayUrl } from './display-url.ts'
import { explainNetworkError } from './upstream-errors.ts'

describe('showing a URL', () => {
  it.each([
    ['https://user:secret@host.example:8443/a/b.rpm', 'https://host.example:8443/a/b.rpm'],
    ['https://host.example/a?token=secret&x=secret', 'https://host.example/a?token=***&x=***'],
    ['https://host.example/a?secret', 'https://host.example/a?***'],
    ['https://host.example/a#secret', 'https://host.example/a'],
    ['file:///media/dvd/', 'file:///media/dvd/'],
  ])('hides the secrets of %s', (url, shown) => {
    expect(displayUrl(new URL(url))).toBe(shown)
  })
})

describe('explaining a failed connection', () => {
  it.each([
    ['CERT_HAS_EXPIRED', 'UPSTREAM_REFUSED', 'has expired'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UPSTREAM_REFUSED', 'ssl.ca_bundle'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'UPSTREAM_REFUSED', 'ssl.ca_bundle'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'UPSTREAM_REFUSED', 'ssl.client_cert'],
    ['ECONNRESET', 'UPSTREAM_UNREACHABLE', 'network'],
    ['EAI_AGAIN', 'UPSTREAM_UNREACHABLE', 'name server'],
  ])('%s is %s', (code, expected, hint) => {
    const failure = Object.assign(new Error('it failed'), { code })

    const error = explainNetworkError(new AggregateError([failure]), new URL('https://u:p@host.example/?t=1'))

    expect(error).toMatchObject({ code: expected, hint: expect.stringContaining(hint) })
    expect(error.details).toMatchObject({ url: 'https://host.example/?t=***' })
  })
})

/**
 * A URL as messages, events and results may show it: without user and password, and with the values of its query
 * hidden, which is where tokens travel (`?token=***`; a bare `?abc` is a value too). Every URL that is shown passes here.
 */
export function displayUrl(url: URL): string {
  const { protocol, host, pathname, search } = url
  if (search === '') return `${protocol}//${host}${pathname}`
  const query = search
    .slice(1)
    .split('&')
    .filter((part) => part !== '')
    .map((part) => (part.includes('=') ? `${part.slice(0, part.indexOf('='))}=***` : '***'))
    .join('&')
  return `${protocol}//${host}${pathname}${query === '' ? '' : `?${query}`}`
}

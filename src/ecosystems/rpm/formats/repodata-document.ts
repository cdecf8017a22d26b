/** The documents of one repository that hold an element per package. The names are repomd's record types. */
export type RepodataDocument = 'primary' | 'filelists' | 'other' | 'filelists-ext'

/** Of `<rpm:…>` elements; only primary uses it. */
export const rpmNamespace = 'http://linux.duke.edu/metadata/rpm'

/** What stands around the packages of each document, as createrepo_c writes it. */
export const repodataRoots: Readonly<
  Record<RepodataDocument, { readonly element: string; readonly namespace: string }>
> = {
  primary: { element: 'metadata', namespace: 'http://linux.duke.edu/metadata/common' },
  filelists: { element: 'filelists', namespace: 'http://linux.duke.edu/metadata/filelists' },
  other: { element: 'otherdata', namespace: 'http://linux.duke.edu/metadata/other' },
  'filelists-ext': { element: 'filelists-ext', namespace: 'http://linux.duke.edu/metadata/filelists-ext' },
}

/** Everything before the first package. A fragment from the scanner fits behind it; end each with a line feed. */
export function repodataHeader(document: RepodataDocument, packageCount: number): string {
  const { element, namespace } = repodataRoots[document]
  const rpm = document === 'primary' ? ` xmlns:rpm="${rpmNamespace}"` : ''
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${element} xmlns="${namespace}"${rpm} packages="${packageCount}">\n`
}

/** Everything after the last package. */
export function repodataFooter(document: RepodataDocument): string {
  return `</${repodataRoots[document].element}>\n`
}

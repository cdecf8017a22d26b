/**
 * A treeinfo without the checksums of repository metadata, which are upstream's and not of what we generate. Every other line
 * stays as it is.
 */
export function withoutRepodata(text: string): string {
  let section = ''
  return text
    .split(/(?<=\n)/)
    .filter((line) => {
      section = /^\s*\[([^\]]*)\]/.exec(line)?.[1] ?? section
      return section !== 'checksums' || !/^\s*(\.\/)?repodata\//.test(line)
    })
    .join('')
}

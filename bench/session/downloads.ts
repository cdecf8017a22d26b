import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServedRepository } from './served-upstream.ts'

/** Four wgets, each with a quarter of the files: every byte and nothing else, neither checked nor durable. */
export function wgetFour({ files }: ServedRepository, folder: string): readonly string[] {
  const target = join(folder, 'tree')
  mkdirSync(target, { recursive: true })
  const quarter = Math.ceil(files.length / 4)
  const lists = [0, 1, 2, 3].map((index) => {
    const list = join(folder, `urls-${index}`)
    const urls = files.slice(index * quarter, (index + 1) * quarter).map(({ url }) => `${url}\n`)
    writeFileSync(list, urls.join(''))
    return list
  })
  const script = `
    target=$1; shift
    for list; do wget -q -x -nH --cut-dirs=1 -P "$target" -i "$list" & jobs="$jobs $!"; done
    for job in $jobs; do wait "$job" || exit; done`
  return ['sh', '-c', script, 'wget-four', target, ...lists]
}

/** One curl with sixteen transfers at once. */
export function curlParallel({ files }: ServedRepository, folder: string): readonly string[] {
  mkdirSync(folder, { recursive: true })
  const list = join(folder, 'transfers')
  const transfers = files.map(
    ({ url, path }) => `url = ${quoted(url)}\noutput = ${quoted(join(folder, 'tree', path))}\n`,
  )
  writeFileSync(list, transfers.join(''))
  return ['curl', '-q', '-sS', '--fail', '-Z', '--parallel-max', '16', '--create-dirs', '-K', list]
}

/** The same, and then the checksums of everything. */
export function curlThenSha256(repository: ServedRepository, folder: string): readonly string[] {
  const script = `
    tree=$1; sums=$2; shift 2
    "$@" && find "$tree" -type f -print0 | xargs -0 sha256sum > "$sums"`
  const curl = curlParallel(repository, folder)
  return ['sh', '-c', script, 'curl-then-sha256', join(folder, 'tree'), join(folder, 'sums'), ...curl]
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}

/** What is known of a run of a written document. */
export interface NotedRun {
  /** Compressed, in bytes. */
  readonly size: number
  /** CRC-32 of the compressed bytes. */
  readonly checksum: number
  /** Before compression, in bytes. */
  readonly openSize: number
  /** CRC-32 of the bytes before compression. */
  readonly openChecksum: number
  /** Entries in it. */
  readonly count: number
}

/** Its numbers, apart by tabs; then how long each of its entries is, with what follows it, apart by spaces. */
export function formatRun(run: NotedRun, lengths: readonly number[] = []): string {
  const { size, checksum, openSize, openChecksum, count } = run
  return `${size}\t${checksum}\t${openSize}\t${openChecksum}\t${count}\t${lengths.join(' ')}`
}

export function parseRun(line: string): NotedRun {
  const [size = 0, checksum = 0, openSize = 0, openChecksum = 0, count = 0] = line
    .slice(0, line.lastIndexOf('\t'))
    .split('\t')
    .map(Number)
  return { size, checksum, openSize, openChecksum, count }
}

export function parseLengths(line: string): readonly number[] {
  return line
    .slice(line.lastIndexOf('\t') + 1)
    .split(' ')
    .map(Number)
}

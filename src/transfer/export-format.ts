import { ChantalError } from '../core/errors.ts'

/** How an export is written. */
export interface ExportFormat {
  readonly document: 'json' | 'yaml'
  readonly compression: 'none' | 'gzip' | 'zstd'
}

/** What `--as` takes; the command has its own list, since what parses is loaded with it. */
const exportFormats = ['json', 'yaml', 'json.gz', 'json.zst', 'yaml.gz', 'yaml.zst'] as const

const compressions = { gz: 'gzip', zst: 'zstd' } as const

/** As a file's name, or a whole text, ends: `catalog.json.zst`, `json.zst`. `null` for any other. */
function parseExportFormat(name: string): ExportFormat | null {
  const [, document, compression] = /(?:^|\.)(json|ya?ml)(?:\.(gz|zst))?$/.exec(name) ?? []
  if (document === undefined) return null
  return {
    document: document === 'json' ? 'json' : 'yaml',
    compression: compression === 'gz' || compression === 'zst' ? compressions[compression] : 'none',
  }
}

/** @throws ChantalError `USAGE_INVALID` where neither says it */
export function chooseExportFormat(file: string, as: string | null): ExportFormat {
  const format = parseExportFormat(as ?? file)
  if (format) return format
  throw new ChantalError(
    'USAGE_INVALID',
    as === null ? `the name ${JSON.stringify(file)} says no format` : `no such format: ${JSON.stringify(as)}`,
    {
      hint: `Use a name that ends in .json or .yaml, with .gz or .zst after it or not; or --as ${exportFormats.join('|')}.`,
    },
  )
}

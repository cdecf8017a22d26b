import { ChantalError } from '../core/errors.ts'
import type { Place } from './document.ts'

/** One thing wrong in a configuration. Never holds a value that could be a secret. */
export interface Mistake {
  readonly place: Place
  /** `repositories[0].mirorlist`; empty for the document itself. */
  readonly path: string
  readonly problem: string
  /** A sentence. */
  readonly hint?: string
}

const shownToPeople = 10

/**
 * One error for all mistakes of a configuration. `details` has `file`, `line`, `column` and `path` of the first, and `mistakes`
 * with a line for each; the message shows the first ten.
 */
export function mistakesError(mistakes: readonly [Mistake, ...Mistake[]]): ChantalError<'CONFIG_INVALID'> {
  const [first] = mistakes
  const lines = mistakes.slice(0, shownToPeople).flatMap((mistake, index) => {
    const aside = index > 0 && mistake.hint ? ` ${mistake.hint}` : ''
    return [
      `configuration: ${mistake.problem}${aside && `.${aside}`}`,
      `  ${[at(mistake.place), mistake.path].join('   ').trimEnd()}`,
    ]
  })
  const hidden = mistakes.length - shownToPeople
  if (hidden > 0) lines.push(`and ${hidden} more`)
  return new ChantalError('CONFIG_INVALID', lines.join('\n'), {
    ...(first.hint && { hint: first.hint }),
    details: {
      file: first.place.file,
      line: first.place.line,
      column: first.place.column,
      path: first.path,
      mistakes: mistakes.map(showMistake),
    },
  })
}

/** On one line: `conf.d/epel.yaml:4:5 repositories[0].mirorlist: unknown key "mirorlist"`. */
export function showMistake({ place, path, problem, hint }: Mistake): string {
  return `${[at(place), path].join(' ').trimEnd()}: ${problem}${hint ? `. ${hint}` : ''}`
}

/** `conf.d/epel.yaml:4:5` */
export function at(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`
}

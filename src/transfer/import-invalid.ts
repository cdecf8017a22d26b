import { ChantalError } from '../core/errors.ts'

/** @param place `line 12`, with what follows it: `line 12: items[3].name` */
export function importInvalid(
  place: string,
  message: string,
  options: { cause?: unknown; hint?: string } = {},
) {
  return new ChantalError('IMPORT_INVALID', `${place}: ${message}`, {
    ...options,
    details: { place },
  })
}

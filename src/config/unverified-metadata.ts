import type { VerifySettings } from './settings.ts'

/** Where upstream's signature of its metadata is not checked: why, and what would have it checked. */
export function explainUnverified({ keys }: Pick<VerifySettings, 'keys'>): {
  readonly reason: string
  readonly hint: string
} {
  return keys.length === 0
    ? { reason: 'no keys are configured', hint: 'Give its keys in `verify.keys`.' }
    : { reason: 'verify.metadata is off', hint: 'Remove `verify.metadata: off` if it signs its metadata.' }
}

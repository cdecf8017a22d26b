import * as z from 'zod'
import { text, textOrNull } from './values.ts'

const status = z.enum(['fine', 'notice', 'warning', 'problem'])

export const diagnosis = z.strictObject({
  status: status.describe('The gravest of all findings.'),
  checks: z
    .array(
      z.strictObject({
        check: z
          .enum([
            'configuration',
            'keys',
            'certificates',
            'catalog',
            'pool',
            'disks',
            'permissions',
            'feeds',
            'clocks',
          ])
          .describe('What was looked at.'),
        status: status.describe('The gravest of its findings.'),
        summary: text('What was seen, in a line.'),
        findings: z.array(
          z.strictObject({
            severity: z
              .enum(['notice', 'warning', 'problem'])
              .describe(
                '`notice`: nothing has to be done; `warning`: will be trouble; `problem`: does not work.',
              ),
            subject: text('What it is about.'),
            code: textOrNull('The [error](errors.md) that it leads to; `null` for a notice.'),
            message: text('What was found.'),
            hint: textOrNull('What to do about it.'),
          }),
        ),
      }),
    )
    .describe('One after another; where the configuration does not load it is the only one.'),
})

import type { Command } from 'commander'
import type { Diagnosis, DoctorCheck } from '../../app/doctor/doctor.ts'
import { isChantalError } from '../../core/errors.ts'
import { firstOf } from '../render/first-of.ts'
import { printable } from '../render/table.ts'
import { type Run, ShownFailure } from '../run.ts'
import type { Session } from '../session.ts'

const timeoutMs = 15_000

export function registerDoctor(program: Command, run: Run): void {
  program
    .command('doctor')
    .description('check all that has to be right, and say what to do about what is not')
    .argument('[id...]', 'keys, certificates and feeds of these repositories alone; ids or shell patterns')
    .addHelpText('after', '\nExample: chantal doctor --json\n')
    .action((ids: readonly string[], _: object, command: Command) =>
      run(command, async (session) => {
        const { diagnosisError } = await import('../../app/doctor/doctor.ts')
        const diagnosis = await diagnose(session, ids)
        session.output.one(
          diagnosis,
          () => diagnosis.checks.flatMap(checkLines),
          diagnosis.checks.flatMap(({ check, findings }) =>
            findings.map((finding) => ({ check, ...finding })),
          ),
        )
        const error = diagnosisError(diagnosis)
        if (!error) return
        session.showError(error)
        throw new ShownFailure(error)
      }),
    )
}

/** A configuration that does not load is a finding like any other. */
async function diagnose(session: Session, ids: readonly string[]): Promise<Diagnosis> {
  const { diagnoseConfiguration, examine } = await import('../../app/doctor/doctor.ts')
  try {
    const { settings } = await session.services.loadConfiguration(session.configFile)
    await using parts = await session.services.openDoctor(settings, session.reporter)
    return await examine(parts, { ids, timeoutMs }, session.signal)
  } catch (error) {
    if (isChantalError(error, 'CONFIG_INVALID', 'CONFIG_MISSING')) return diagnoseConfiguration(error)
    throw error
  }
}

function checkLines({ check, status, summary, findings }: DoctorCheck): readonly string[] {
  return [
    `${status.padEnd(8)}  ${check.padEnd(14)}${printable(summary)}`,
    ...firstOf(
      findings.map(({ severity, subject, message, hint }) => {
        const [first = '', ...rest] = message.split('\n')
        return [
          `    ${severity}: ${printable(subject)}: ${printable(first)}`,
          ...rest.map((line) => `      ${printable(line.trim())}`),
          ...(hint === null ? [] : [`      ${printable(hint)}`]),
        ]
      }),
    ).flat(),
  ]
}

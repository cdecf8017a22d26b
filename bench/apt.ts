// apt.ts --v1 FOLDER --v2 FOLDER   - measures Chantal and its peers in turns on one large APT repository. See README.md beside it.
import { aptGoals } from './apt/goals.ts'
import { chantalMeasures, titles } from './apt/measures.ts'
import { benchedSuite, runAptRound } from './apt/round.ts'
import { runSession } from './session/session.ts'

process.exitCode = await runSession({
  type: 'apt',
  // The two states are made at one time, or the older one is shown again.
  options: { ...benchedSuite, check_date: false, check_valid_until: false },
  slowPeers: {
    aptly: 'measure aptly as well',
    'apt-mirror': 'measure apt-mirror as well, which checks no signature',
    debmirror: 'measure debmirror as well, which is slow',
  },
  comparison: {
    titles,
    chantalMeasures,
    goals: aptGoals,
    rootDocument: 'dists/bookworm/InRelease',
    programs: ['wget', 'curl'],
    optionalPrograms: {
      aptly: ['aptly', 'gpg'],
      'apt-mirror': ['apt-mirror'],
      debmirror: ['debmirror', 'gpg'],
    },
    atPort80: ['apt-mirror'],
    run: runAptRound,
  },
})

// rpm.ts --v1 FOLDER --v2 FOLDER   - measures Chantal and its peers in turns on one large RPM repository. See README.md beside it.
import { rpmGoals } from './rpm/goals.ts'
import { chantalMeasures, titles } from './rpm/measures.ts'
import { runRpmRound } from './rpm/round.ts'
import { runSession } from './session/session.ts'

process.exitCode = await runSession({
  type: 'rpm',
  options: {},
  slowPeers: { reposync: 'measure dnf reposync as well, which is slow' },
  comparison: {
    titles,
    chantalMeasures,
    goals: rpmGoals,
    rootDocument: 'repodata/repomd.xml',
    programs: ['wget', 'curl'],
    optionalPrograms: { reposync: ['dnf'], large: ['createrepo_c'] },
    atPort80: [],
    run: runRpmRound,
  },
})

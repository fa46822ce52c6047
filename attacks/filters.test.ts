import { describeAttempts, type Attempt } from './attempts.ts'

const attempts: readonly Attempt[] = [
  {
    name: 'pulls the parent of its scope',
    as: 'reader',
    run: (a, { root }) => a.pull({ filter: root }),
    outcome: 'refused',
  },
  {
    name: 'pulls its scope',
    as: 'reader',
    run: (a, { root }) => a.pull({ filter: `${root}:shared` }),
    outcome: 'harmless',
  },
  {
    name: 'pushes into its scope',
    as: 'sampler',
    run: (a, { root }) => a.push({ filter: `${root}:shared:sample`, records: [{}] }),
    outcome: 'harmless',
  },
]

describeAttempts('filters', { 'outside the scope': attempts })

import { type Leave, createKeyedPlaces } from '../core/keyed-places.ts'
import type { Owner } from '../storage/quota-usage.ts'
import { type ServiceLimits, allowance } from './quotas.ts'

/** Places for stages that are worked on in one process, so that no caller has all of it. */
export interface StagePlaces {
  /** Does work when it is its turn: after what the same certificate, branch and network have under way. */
  inTurn<T>(owner: Owner, work: () => Promise<T>): Promise<T>
}

/** The places that the limits allow. Whoever waits is a transfer that has been begun, so the queues end somewhere. */
export function createStagePlaces({ runningStages }: Pick<ServiceLimits, 'runningStages'>): StagePlaces {
  const queue = (places: (key: string) => number): ReturnType<typeof createKeyedPlaces> =>
    createKeyedPlaces({ places, waiting: Infinity })
  // Always in this order, or two could wait for each other.
  const ofCertificate = queue(() => runningStages.perCertificate)
  const ofBranch = queue(() => runningStages.perBranch)
  const ofNetwork = queue((network) => allowance(runningStages, network))

  return {
    async inTurn({ certificate, branch, network }, work) {
      const leaves: (Leave | undefined)[] = []
      try {
        leaves.push(await ofCertificate.enter(certificate))
        leaves.push(await ofBranch.enter(branch))
        leaves.push(await ofNetwork.enter(network))
        return await work()
      } finally {
        for (const leave of leaves.toReversed()) leave?.()
      }
    },
  }
}

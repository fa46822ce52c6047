/**
 * As the README says for devices with little memory: V8's young generation grows to what the machine seems to allow,
 * and is most of what a process would use otherwise.
 */
export const SMALL_YOUNG_GENERATION = '--max-semi-space-size=8'

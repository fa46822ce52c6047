import type { Command } from 'commander'
import { addCertCreateRoot } from './cert-create-root.ts'
import { addCertList } from './cert-list.ts'
import { addCertPush } from './cert-push.ts'
import { addCertRequest } from './cert-request.ts'

const AFTER = `
A certificate says what its holder may read and write: a scope of the profile,
with parameters. The private key never leaves the device that made it.`

/** `morango cert …` */
export function addCertificateCommands(program: Command): void {
  const cert = program
    .command('cert')
    .summary('make, list, request and push certificates')
    .description('Certificates: who may sync what.')
    .addHelpText('after', AFTER)
  addCertCreateRoot(cert)
  addCertList(cert)
  addCertRequest(cert)
  addCertPush(cert)
}

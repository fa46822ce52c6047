import { describe, expect, it } from 'vitest'
import { ALL, ROOT, createInstance, createLine, fill } from './support.ts'

const PUSHING = [...ALL, 'ALLOW_CERTIFICATE_PUSHING']

describe('a device without a certificate', () => {
  it('requests one, and syncs with it', async () => {
    const a = await createInstance('a', { root: false })
    const b = await createInstance('b')
    fill(b, 4, 'b')
    const line = createLine(b.service({ authorize: ({ username }) => username === 'ann' }))
    const client = a.client()
    await expect(client.sync(line.peer, { direction: 'pull', filter: ROOT })).rejects.toMatchObject({
      code: 'unknown-certificate',
    })
    const certificate = await client.requestCertificate(line.peer, {
      primaryPartition: ROOT,
      scopeDefinition: 'fullsub',
      scopeParams: { main: ROOT },
      credentials: { username: 'ann', password: '' },
    })
    expect(certificate.parentId).toBe(ROOT)
    const report = await client.sync(line.peer, { direction: 'both', filter: ROOT })
    expect(report.pulled).toBe(4)
  })

  it('is refused one', async () => {
    const a = await createInstance('a', { root: false })
    const b = await createInstance('b')
    const line = createLine(b.service())
    const request = {
      parentId: ROOT,
      scopeDefinition: 'fullsub',
      scopeParams: { main: ROOT },
      credentials: { username: 'ann', password: '' },
    }
    await expect(a.client().requestCertificate(line.peer, request)).rejects.toMatchObject({
      code: 'peer-error',
      details: { status: 403 },
    })
  })

  it('does not pull outside its scope', async () => {
    const a = await createInstance('a', { root: false })
    const b = await createInstance('b')
    const line = createLine(b.service({ authorize: () => true }))
    const client = a.client()
    await client.requestCertificate(line.peer, {
      parentId: ROOT,
      scopeDefinition: 'subcert',
      scopeParams: { main: ROOT, sub: 'x' },
      credentials: { username: 'ann', password: '' },
    })
    await expect(client.sync(line.peer, { direction: 'pull', filter: ROOT })).rejects.toMatchObject({
      code: 'scope-not-permitted',
    })
    await expect(
      client.sync(line.peer, { direction: 'push', filter: `${ROOT}:shared` }),
    ).rejects.toMatchObject({ code: 'scope-not-permitted' })
    await client.sync(line.peer, { direction: 'pull', filter: `${ROOT}:shared` })
    await client.sync(line.peer, { direction: 'both', filter: `${ROOT}:x` })
  })
})

describe('certificate pushing', () => {
  it('gives a server a certificate to answer with', async () => {
    const a = await createInstance('a')
    const b = await createInstance('b', { root: false })
    fill(a, 6, 'a')
    const line = createLine(b.service({ capabilities: PUSHING }), PUSHING)
    const client = a.client({ capabilities: PUSHING })
    await expect(client.sync(line.peer, { direction: 'push', filter: ROOT })).rejects.toMatchObject({
      code: 'unknown-certificate',
    })
    const certificate = await client.pushCertificate(line.peer, {
      parentId: ROOT,
      scopeDefinition: 'fullsub',
      scopeParams: { main: ROOT },
    })
    const session = await client.connect(line.peer, { serverCertificateId: certificate.id })
    expect((await client.push(session, ROOT)).recordsTransferred).toBe(6)
    await session.close()
    const report = await client.sync(line.peer, { direction: 'both', filter: ROOT })
    expect([report.pulled, report.pushed]).toEqual([0, 0])
    expect(b.engine.values()).toEqual(a.engine.values())
  })
})

describe('a server that no longer holds the remembered certificate', () => {
  it('is asked for another', async () => {
    const a = await createInstance('a')
    const b = await createInstance('b')
    const line = createLine(b.service())
    const client = a.client()
    await client.sync(line.peer, { direction: 'both', filter: ROOT })
    await a.db.updateTable('morango_sync_session').set({ server_certificate_id: ROOT }).execute()
    await b.db.updateTable('morango_certificate').set({ private_key: null }).execute()
    await expect(client.sync(line.peer, { direction: 'both', filter: ROOT })).rejects.toMatchObject({
      code: 'unknown-certificate',
    })
  })
})

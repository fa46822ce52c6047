import { describe, expect } from 'vitest'
import { introduce, certify, noPython, test } from './network.ts'
test('push', async ({network})=>{
  for (const cfg of [{noAsync:true},{noV2:true}]) {
    const ours = await network.ours()
    const { client, server, dataset } = await introduce(await network.python(cfg), ours)
    await client.fill({ dataset, from: 100, count: 12 })
    const px = await network.proxy(server.url)
    px.interference = { before: async (p) => { if(p.path!=='certificates/' && p.path!=='syncsessions/') console.log(p.method, p.path, p.body.subarray(0,1)[0]===0x1f?'gzip':p.body.toString().slice(0,700)); return undefined } }
    for (const push of [false,true]) { try { console.log(await client.sync({url:px.url,dataset,transfers:[{push,filter:dataset}],chunk:5})) } catch(e) { console.log(String(e).split('Traceback')[0]) } }
    console.log(px.log.filter(x=>x.status>=400))
  }
})
test('cert', async ({network})=>{
    const ours = await network.ours({allowCertificatePushing:true})
    const py = await network.python({pushing:true})
    const D = await ours.root({scope:'full'})
    const px = await network.proxy(py.url)
    try { console.log(await ours.push({url:px.url,parent:D,scope:'full',params:{dataset_id:D}})) } catch(e) { console.log(e) }
    console.log(px.log)
})

// Receives webhooks of httpsms with Express.
//
//     npm install
//     HTTPSMS_WEBHOOK_SIGNING_KEY='...' npm start
//
// HTTPSMS_VERIFY says by what a request is known: "standard", the headers of Standard Webhooks
// (default), or "jwt", the token in Authorization. HTTPSMS_WEBHOOK_SIGNING_KEY_NEXT is a second key
// that is right too, while a new one takes over. HOST and PORT say where to listen: 127.0.0.1 and
// 9000.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import express from 'express'
import jwt from 'jsonwebtoken'

const TOLERANCE = 300 // seconds that the clocks of both sides may be apart
const REMEMBERED = 10_000 // ids of events

/** Your work. It may take its time: the answer has left. */
async function handle(event) {
  console.log(event.type, event.id)
}

/** webhook-signature has a `v1,` and an HMAC of id, time and body for each key that is valid. */
function verifyStandard(keys, headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': sent, 'webhook-signature': given = '' } = headers
  // Not `>`: what is no number must fail as well.
  if (!id || !sent || !(Math.abs(Date.now() / 1000 - Number(sent)) <= TOLERANCE)) {
    throw new Error('no webhook-id, or a webhook-timestamp that is not of now')
  }
  const signatures = given.split(' ')
  const ours = keys.some((key) => {
    // A key that begins so is the base64 of the HMAC's key; any other is the key itself.
    const secret = key.startsWith('whsec_') ? Buffer.from(key.slice(6), 'base64') : key
    const tag = createHmac('sha256', secret).update(`${id}.${sent}.`).update(body).digest('base64')
    return signatures.some((signature) => same(signature, `v1,${tag}`))
  })
  if (!ours) throw new Error('no signature of ours in webhook-signature')
}

function same(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Authorization has a JWT, signed with HS256 and the key as it was typed. */
function verifyJwt(keys, headers, body) {
  const [, token] = /^Bearer (.+)$/i.exec(headers.authorization) ?? []
  const claims = firstThatWorks(keys, (key) =>
    jwt.verify(token, key, { algorithms: ['HS256'], issuer: 'api.httpsms.com' }),
  )
  if (claims.exp === undefined || claims.nbf === undefined) throw new Error('the token has no end')
  // A webhook with `sign_body` vouches for the body too.
  const digest = createHash('sha256').update(body).digest('base64url')
  if (claims.body !== undefined && claims.body !== digest) {
    throw new Error('the token is of another body')
  }
}

function firstThatWorks(keys, attempt) {
  let failure
  for (const key of keys) {
    try {
      return attempt(key)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/**
 * The events that were taken. Tells whether this one is new.
 *
 * In earnest this is a table with the event's id as its key: insert the event, then answer.
 */
const known = new Set()
function take(event) {
  if (known.has(event.id)) return false
  known.add(event.id)
  if (known.size > REMEMBERED) known.delete(known.values().next().value)
  setImmediate(() => handle(event).catch(console.error))
  return true
}

const { HTTPSMS_VERIFY = 'standard', HOST = '127.0.0.1', PORT = '9000' } = process.env
const { HTTPSMS_WEBHOOK_SIGNING_KEY: key, HTTPSMS_WEBHOOK_SIGNING_KEY_NEXT: next } = process.env
const verify = { standard: verifyStandard, jwt: verifyJwt }[HTTPSMS_VERIFY]
const keys = [key, next].filter(Boolean)
if (!verify) throw new Error('HTTPSMS_VERIFY is neither standard nor jwt')
if (keys.length === 0) throw new Error('HTTPSMS_WEBHOOK_SIGNING_KEY is not set')

const app = express()

// The bytes as they came: what a JSON parser leaves of them cannot be verified.
app.post('/webhook', express.raw({ type: () => true, limit: '1mb' }), (request, response) => {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  try {
    verify(keys, request.headers, body)
  } catch (error) {
    console.error('refused:', error.message)
    return response.status(401).send('unauthorized')
  }
  let event
  try {
    event = JSON.parse(body.toString())
  } catch {
    // No JSON is no event.
  }
  if (typeof event?.id !== 'string') return response.status(400).send('not an event')
  response.send(take(event) ? 'taken' : 'known')
})

const server = app.listen(Number(PORT), HOST, (error) => {
  if (error) throw error
  console.log(`listening on http://${HOST}:${server.address().port}`)
})

// How a receiver verifies a request, in a few lines of each language; whole programs stand in
// `examples/receivers` of the project.

export type Language = 'Express' | 'Laravel' | 'Python' | 'Go' | 'Rust';

const EXPRESS = `import { createHmac, timingSafeEqual } from 'node:crypto'
import express from 'express'

const key = process.env.HTTPSMS_WEBHOOK_SIGNING_KEY
const secret = key.startsWith('whsec_') ? Buffer.from(key.slice(6), 'base64') : key

function genuine({ headers }, body) {
  const { 'webhook-id': id, 'webhook-timestamp': sent, 'webhook-signature': given = '' } = headers
  if (!(Math.abs(Date.now() / 1000 - Number(sent)) <= 300)) return false
  const tag = createHmac('sha256', secret).update(\`\${id}.\${sent}.\`).update(body).digest('base64')
  const ours = Buffer.from(\`v1,\${tag}\`)
  return given.split(' ').map((one) => Buffer.from(one))
    .some((one) => one.length === ours.length && timingSafeEqual(one, ours))
}

const app = express()
// The bytes as they came: what a JSON parser leaves of them cannot be verified.
app.post('/webhook', express.raw({ type: () => true }), (request, response) => {
  if (!genuine(request, request.body)) return response.sendStatus(401)
  const event = JSON.parse(request.body)
  console.log(event.type, event.id)
  response.sendStatus(200)
})
app.listen(9000)
`;

const LARAVEL = `// routes/api.php: no CSRF protection, which a webhook could not pass
Route::post('/httpsms/webhook', function (Illuminate\\Http\\Request $request) {
    $key = env('HTTPSMS_WEBHOOK_SIGNING_KEY');
    $secret = str_starts_with($key, 'whsec_') ? base64_decode(substr($key, 6)) : $key;

    $sent = $request->header('webhook-timestamp', '');
    abort_unless(ctype_digit($sent) && abs(time() - (int) $sent) <= 300, 401);

    $signed = $request->header('webhook-id') . '.' . $sent . '.' . $request->getContent();
    $ours = 'v1,' . base64_encode(hash_hmac('sha256', $signed, $secret, true));
    $given = explode(' ', $request->header('webhook-signature', ''));
    abort_unless(collect($given)->contains(fn ($one) => hash_equals($ours, $one)), 401);

    $event = $request->json()->all();
    Log::info($event['type'] . ' ' . $event['id']);
    return response()->noContent();
});
`;

const PYTHON = `import base64, hashlib, hmac, os, time

KEY = os.environ["HTTPSMS_WEBHOOK_SIGNING_KEY"]
SECRET = base64.b64decode(KEY[6:]) if KEY.startswith("whsec_") else KEY.encode()


def genuine(headers, body: bytes) -> bool:
    """body: the bytes as they came, before any JSON parser saw them."""
    event_id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent.isdecimal() or abs(time.time() - int(sent)) > 300:
        return False
    signed = f"{event_id}.{sent}.".encode() + body
    ours = b"v1," + base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256))
    given = headers.get("webhook-signature", "").encode().split(b" ")
    return any(hmac.compare_digest(ours, one) for one in given)
`;

const GO = `// genuine tells whether a request is from the server, and from now. body: the bytes as they came.
func genuine(key string, header http.Header, body []byte) bool {
	secret := []byte(key)
	if encoded, found := strings.CutPrefix(key, "whsec_"); found {
		secret, _ = base64.StdEncoding.DecodeString(encoded)
	}
	id, sent := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(sent, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, sent, body)
	ours := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for _, given := range strings.Fields(header.Get("webhook-signature")) {
		if hmac.Equal(ours, []byte(given)) {
			return true
		}
	}
	return false
}
`;

const RUST = `use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD, Engine};
use http::HeaderMap;

/// Whether a request is from the server, and from now. \`body\`: the bytes as they came.
fn genuine(key: &str, headers: &HeaderMap, body: &[u8], now: u64) -> Option<()> {
    let secret = match key.strip_prefix("whsec_") {
        Some(encoded) => BASE64_STANDARD.decode(encoded).ok()?,
        None => key.as_bytes().to_vec(),
    };
    let header = |name| headers.get(name)?.to_str().ok();
    let (id, sent) = (header("webhook-id")?, header("webhook-timestamp")?);
    (now.abs_diff(sent.parse().ok()?) <= 300).then_some(())?;
    let signed = [format!("{id}.{sent}.").as_bytes(), body].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    header("webhook-signature")?
        .split(' ')
        .filter_map(|one| BASE64_STANDARD.decode(one.strip_prefix("v1,")?).ok())
        .any(|tag| hmac::verify(&key, &signed, &tag).is_ok())
        .then_some(())
}
`;

export const SNIPPETS: Record<Language, string> = {
  Express: EXPRESS,
  Laravel: LARAVEL,
  Python: PYTHON,
  Go: GO,
  Rust: RUST,
};

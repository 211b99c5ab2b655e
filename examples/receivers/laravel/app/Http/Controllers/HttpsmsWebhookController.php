<?php

namespace App\Http\Controllers;

use Firebase\JWT\JWT;
use Firebase\JWT\Key;
use Illuminate\Http\Request;
use Illuminate\Http\Response;
use Illuminate\Support\Facades\Cache;
use Illuminate\Support\Facades\Log;
use RuntimeException;
use Throwable;

/** Receives webhooks of httpsms. */
class HttpsmsWebhookController
{
    /** Seconds that the clocks of both sides may be apart. */
    private const TOLERANCE = 300;

    public function __invoke(Request $request): Response
    {
        try {
            $byToken = config('httpsms.verify') === 'jwt';
            $byToken ? $this->verifyJwt($request) : $this->verifyStandard($request);
        } catch (Throwable $reason) {
            Log::warning('webhook refused: ' . $reason->getMessage());

            return response('unauthorized', 401);
        }
        $event = json_decode($request->getContent(), true);
        if (! is_string($event['id'] ?? null)) {
            return response('not an event', 400);
        }

        return response($this->take($event) ? 'taken' : 'known');
    }

    /** Your work. It may take its time: a queue worker does it, the answer has left. */
    public static function handle(array $event): void
    {
        Log::info($event['type'] . ' ' . $event['id']);
    }

    /** Whether the event is new. The cache must be one that all processes share. */
    private function take(array $event): bool
    {
        $name = 'httpsms:' . $event['id'];
        if (! Cache::add($name, true, now()->addDays(7))) {
            return false;
        }
        try {
            dispatch(static fn () => self::handle($event));
        } catch (Throwable $failure) {
            Cache::forget($name);
            throw $failure;
        }

        return true;
    }

    /** webhook-signature has a `v1,` and an HMAC of id, time and body for each valid key. */
    private function verifyStandard(Request $request): void
    {
        $id = $request->header('webhook-id', '');
        $sent = $request->header('webhook-timestamp', '');
        if ($id === '' || ! ctype_digit($sent) || abs(time() - (int) $sent) > self::TOLERANCE) {
            throw new RuntimeException('no webhook-id, or a webhook-timestamp that is not of now');
        }
        $signed = $id . '.' . $sent . '.' . $request->getContent();
        foreach (config('httpsms.signing_keys') as $key) {
            // A key that begins so is the base64 of the HMAC's key; any other is the key itself.
            $secret = str_starts_with($key, 'whsec_') ? base64_decode(substr($key, 6)) : $key;
            $expected = 'v1,' . base64_encode(hash_hmac('sha256', $signed, $secret, true));
            foreach (explode(' ', $request->header('webhook-signature', '')) as $signature) {
                if (hash_equals($expected, $signature)) {
                    return;
                }
            }
        }
        throw new RuntimeException('no signature of ours in webhook-signature');
    }

    /** Authorization has a JWT, signed with HS256 and the key as typed: 32 characters or more. */
    private function verifyJwt(Request $request): void
    {
        $claims = $this->claims((string) $request->bearerToken());
        if (! isset($claims->exp, $claims->nbf) || ($claims->iss ?? '') !== 'api.httpsms.com') {
            throw new RuntimeException('the token is not of the server, or has no end');
        }
        // A webhook with `sign_body` vouches for the body too.
        $digest = JWT::urlsafeB64Encode(hash('sha256', $request->getContent(), true));
        if (isset($claims->body) && $claims->body !== $digest) {
            throw new RuntimeException('the token is of another body');
        }
    }

    private function claims(string $token): object
    {
        $failure = new RuntimeException('there is no signing key');
        foreach (config('httpsms.signing_keys') as $key) {
            try {
                return JWT::decode($token, new Key($key, 'HS256'));
            } catch (Throwable $failure) {
                // Perhaps by the next key.
            }
        }
        throw $failure;
    }
}

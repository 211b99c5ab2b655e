<?php

return [
    // By what a request is known: "standard", the headers of Standard Webhooks, or "jwt", the token
    // in Authorization.
    'verify' => env('HTTPSMS_VERIFY', 'standard'),

    // The second key is right too, while a new one takes over.
    'signing_keys' => array_filter([
        env('HTTPSMS_WEBHOOK_SIGNING_KEY'),
        env('HTTPSMS_WEBHOOK_SIGNING_KEY_NEXT'),
    ]),
];

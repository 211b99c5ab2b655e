<?php

use App\Http\Controllers\HttpsmsWebhookController;
use Illuminate\Support\Facades\Route;

// Routes of this file begin with /api and have no CSRF protection, which a webhook could not pass.
Route::post('/httpsms/webhook', HttpsmsWebhookController::class);

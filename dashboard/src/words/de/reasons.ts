export const waiting = {
  asked_time: 'Sie wartet auf die Zeit, für die sie bestellt ist.',
  bulk_turn: 'Sie wartet, bis sie im Sammelversand an der Reihe ist.',
  resume: 'Sie wartet, bis ihr angehaltener Sammelversand weitergeht.',
  hours: 'Sie wartet auf die Stunden, in denen ihr Telefon senden darf.',
  slot: (perMinute: string) =>
    perMinute
      ? `Sie wartet auf ihren Platz: Dieses Telefon sendet ${perMinute} in der Minute.`
      : 'Sie wartet auf ihren Platz, nach den Grenzen ihres Telefons.',
  phone: (since: string) =>
    since
      ? `Das Telefon ist fort, zuletzt gehört am ${since}. Es wird geweckt, wenn es wieder da ist.`
      : 'Das Telefon ist fort und hat sich nie gemeldet. Es wird geweckt, wenn es kommt.',
  wake_up: 'Das Telefon wird gerade geweckt.',
  fetch: 'Das Telefon ist geweckt und hat sie noch nicht abgeholt.',
  report: 'Das Telefon hat sie und hat noch nicht gesagt, was daraus wurde.',
  delivery_report: 'Sie ist gesendet. Dass sie ankam, kann noch gemeldet werden.',
  deleted_phone: 'Ihr Telefon wurde gelöscht.',
};

export const step = {
  asked: (time: string) => `Zu senden am ${time}`,
  slot: (time: string) => `Ihr Platz ist ${time}`,
  silence: (wakeUp: number, last: boolean) =>
    `Keine Meldung nach Weckruf ${wakeUp}${last ? ', dem letzten' : ''}`,
};

export const attention = {
  phone_offline: (subject: string, since: string) =>
    since ? `${subject}: fort, zuletzt gehört am ${since}` : `${subject}: fort, nie gehört`,
  queue_held: (subject: string, until: string, count: number) =>
    `${subject}: ${count === 1 ? '1 Nachricht wartet' : `${count} Nachrichten warten`}, bis es senden darf, am ${until}`,
  webhook_failing: (subject: string, since: string) => `${subject}: scheitert seit ${since}`,
  webhook_paused: (subject: string, since: string) => `${subject}: angehalten seit ${since}`,
  webhook_stopped: (subject: string, since: string) =>
    `${subject}: angehalten am ${since}, weil er zu lange scheiterte`,
};

/** Used everywhere. */
export const common = {
  save: 'Save',
  cancel: 'Cancel',
  close: 'Close',
  delete: 'Delete',
  edit: 'Edit',
  back: 'Back',
  copy: 'Copy',
  copied: 'Copied',
  undo: 'Undo',
  retry: 'Try again',
  more: 'More',
  loading: 'Loading…',
  optional: 'optional',
  none: 'None',
  yes: 'Yes',
  no: 'No',
  of: (part: string, whole: string) => `${part} of ${whole}`,
  now: 'now',
  notYet: 'not yet',
  show: 'Show',
  hide: 'Hide',
};

/** What went wrong. */
export const fault = {
  title: 'This could not be loaded',
  part: 'A part of this could not be read, and is tried again.',
  unreachable: 'The server does not answer. Is it running, and are you connected to it?',
  signedOut: 'You are signed out.',
  forbidden: 'This account may not do that.',
  server: (status: number) =>
    `The server failed at this (${status}). Its log says why; nothing was changed.`,
  status: (status: number) => `The server refused this (${status}).`,
  page: 'There is no such page',
  pageHint: 'The address may be mistyped, or what it named is gone.',
  broken: 'This page has stopped working',
  invalid: 'Please look at the marked fields.',
};

/** Around every page. */
export const frame = {
  product: 'httpsms',
  skip: 'Skip to the content',
  places: 'Places',
  palette: 'Search or command',
  paletteEmpty: 'Nothing fits.',
  paletteHint: 'People, numbers, messages, webhooks, settings, actions',
  goTo: 'Go to',
  people: 'Conversations',
  messages: 'Messages',
  actions: 'Actions',
  keys: 'Keyboard',
  keysAnywhere: 'Anywhere',
  keysHere: 'On this page',
  keyPalette: 'Search or command',
  keySheet: 'This list',
  keyGo: (place: string) => `Go to ${place}`,
  theme: 'Theme',
  themeSystem: 'As the system',
  themeLight: 'Light',
  themeDark: 'Dark',
  language: 'Language',
  account: 'Account',
  signOut: 'Sign out',
  well: 'All well',
  attention: (count: number) => (count === 1 ? '1 thing to look at' : `${count} things to look at`),
  wellText: 'Phones are online, webhooks are delivered, nothing is held.',
  health: 'Health',
  cut: 'Not live',
  cutText:
    'The connection for news is cut. What is shown may be old; it catches up by itself once the server answers.',
  quotaNear: (used: string, most: string) =>
    `${used} of the ${most} messages of this period are used.`,
  quotaSpent: (most: string, until: string) =>
    `All ${most} messages of this period are used: nothing is sent until ${until}. What comes in is still taken.`,
  toasts: 'Notices',
  dismiss: 'Dismiss',
  apiDocs: 'API reference',
  comingTitle: 'This page is on its way',
  comingText: 'Everything it will show can be had from the API today.',
};

/** States of messages, as in the API. */
export const status = {
  pending: 'Pending',
  scheduled: 'Scheduled',
  sending: 'Sending',
  sent: 'Sent',
  delivered: 'Delivered',
  failed: 'Failed',
  expired: 'Expired',
  received: 'Received',
};

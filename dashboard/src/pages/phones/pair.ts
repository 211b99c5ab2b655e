// What a phone scans to be paired.

/** For the app of this project: server and key in one. */
export function pairing(server: string, key: string): string {
  return `httpsms://pair?${new URLSearchParams({ server, key }).toString()}`;
}

/** The command of a phone that only pretends to send. */
export function simulation(server: string, key: string, number = '+15550100001'): string {
  return `httpsms phone simulate --server ${server} --number ${number} --api-key ${key}`;
}

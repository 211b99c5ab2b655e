/** Set-up, signing in, and the first steps. */
export const welcome = {
  title: 'Welcome to httpsms',
  setUpText: 'This server is new. Choose how you will sign in to it.',
  setUp: 'Create the account',
  key: 'API key',
  keyHint: 'The server printed it when it was started for the first time.',
  wrongKey: 'This is not the key that the server printed.',
  email: 'E-mail address',
  password: 'Password',
  passwordHint: 'At least 10 characters.',
  signIn: 'Sign in',
  signUp: 'Sign up',
  wrongPassword: 'This e-mail address and password do not belong together.',
  noAccount: 'I have no account yet',
  haveAccount: 'I have an account',
  closed: 'New accounts are made by who runs this server.',
};

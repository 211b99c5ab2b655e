// German. Complete, or it does not compile.
import type { Words } from '../current.svelte';
import { bulk } from './bulk';
import { common, fault, frame, status } from './common';
import { inbox } from './inbox';
import { phones } from './phones';
import { attention, step, waiting } from './reasons';
import { said } from './said';
import { search } from './search';
import { settings } from './settings';
import { webhooks } from './webhooks';
import { welcome } from './welcome';

export const de: Words = {
  common,
  fault,
  frame,
  status,
  inbox,
  webhooks,
  phones,
  bulk,
  said,
  attention,
  step,
  waiting,
  search,
  settings,
  welcome,
};

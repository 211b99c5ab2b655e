import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import { chooseLanguage, preferredLanguage } from './words';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');

// Texts first: a page in the wrong language would flash otherwise.
await chooseLanguage(preferredLanguage());
mount(App, { target });
